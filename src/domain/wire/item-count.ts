import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from "./otlp-schema.ts";
import { varintValue, varintWidth } from "./scalars.ts";

/**
 * The path from a request to its items: the fields to follow in each message along it. The last
 * ones hold the items.
 */
export type ItemPath = readonly (readonly number[])[];

/** Returned if the bytes are not such a request. */
export const NO_COUNT = -1;

/** Tags and lengths have 32 bits, as in the walk of a trace request. */
const MAX_TAG_BYTES = 5;

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fieldNumber: number;
  wireType: number;
  valueAt: number;
}

/**
 * Returns the number of items in an encoded request, without decoding them, or NO_COUNT. The
 * recursion is as deep as the path is long.
 */
export function countItems(request: Uint8Array, path: ItemPath): number {
  const cursor = { bytes: request, at: 0, fieldNumber: 0, wireType: 0, valueAt: 0 };
  return countWithin(cursor, request.length, path, 0);
}

/** Counts within the message that ends at `end`, `depth` steps down the path. */
function countWithin(cursor: Cursor, end: number, path: ItemPath, depth: number): number {
  const fields = path[depth]!;
  const isLast = depth + 1 === path.length;
  let count = 0;
  while (cursor.at < end) {
    if (!takeField(cursor, end)) return NO_COUNT;
    if (!fields.includes(cursor.fieldNumber)) continue;
    if (cursor.wireType !== WIRE_BYTES) return NO_COUNT;
    const valueEnd = cursor.at;
    if (!isLast) cursor.at = cursor.valueAt;
    const items = isLast ? 1 : countWithin(cursor, valueEnd, path, depth + 1);
    if (items === NO_COUNT) return NO_COUNT;
    count += items;
  }
  return count;
}

/** Steps over one field; returns false if none ends within the message. */
function takeField(cursor: Cursor, end: number): boolean {
  const { bytes, at } = cursor;
  const tagWidth = varintWidth(bytes, at, end);
  const tag = tagWidth > MAX_TAG_BYTES ? 0 : varintValue(bytes, at, tagWidth);
  cursor.fieldNumber = Math.floor(tag / 8);
  cursor.wireType = tag % 8;
  if (tagWidth === 0 || cursor.fieldNumber === 0) return false;
  cursor.at += tagWidth;
  const lengthBytes = takeLength(cursor, end);
  cursor.valueAt = cursor.at;
  cursor.at += lengthBytes;
  return lengthBytes >= 0 && cursor.at <= end;
}

/**
 * Returns the length of the value of a field, which starts after its length prefix, if any; -1 if
 * it is invalid.
 */
function takeLength(cursor: Cursor, end: number): number {
  const { bytes, at, wireType } = cursor;
  if (wireType === WIRE_FIXED64) return 8;
  if (wireType === WIRE_FIXED32) return 4;
  const width = varintWidth(bytes, at, end);
  if (width === 0) return -1;
  if (wireType === WIRE_VARINT) return width;
  if (wireType !== WIRE_BYTES || width > MAX_TAG_BYTES) return -1;
  cursor.at += width;
  return varintValue(bytes, at, width);
}
