import { assert } from "../../domain/assert.ts";
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "../../domain/wire/otlp-schema.ts";
import { varintValue, varintWidth } from "../../domain/wire/varint.ts";

/**
 * Where one encoded message lies. A field that holds one message may occur several times, and
 * then means all of them as if they were one: so a message may lie in several parts.
 *
 *     bytes   ....AAAAAA.......BBBB.....      parts  [4, 10, 17, 21]
 */
export interface MessageBytes {
  readonly bytes: Buffer;
  /** Begin and end of each part, by turns. */
  readonly parts: readonly number[];
}

/**
 * A place within a message, moved from field to field by `nextField`.
 *
 *     [ tag ][ value ][ tag ][ length ][ value      ][ tag ] ...
 *                                      ^valueAt      ^at, also the end of the value
 */
export interface FieldScan {
  readonly message: MessageBytes;
  partIndex: number;
  at: number;
  end: number;
  fieldNumber: number;
  valueAt: number;
}

export function scanFields(message: MessageBytes): FieldScan {
  const [at = 0, end = 0] = message.parts;
  return { message, partIndex: 0, at, end, fieldNumber: 0, valueAt: at };
}

/** Steps to the next field; false at the end. For bytes that the wire walk has accepted. */
export function nextField(scan: FieldScan): boolean {
  while (scan.at === scan.end) {
    if (!nextPart(scan)) return false;
  }
  const tag = takeVarint(scan);
  scan.fieldNumber = tag >>> 3;
  const length = valueLength(scan, tag & 7);
  scan.valueAt = scan.at;
  scan.at += length;
  assert(scan.at <= scan.end, "an accepted field ends within its message");
  return true;
}

/** The value of the field that `scan` is at, when it holds a message. */
export function valueOf({ message, valueAt, at }: FieldScan): MessageBytes {
  return { bytes: message.bytes, parts: [valueAt, at] };
}

export function lengthOf({ parts }: MessageBytes): number {
  return parts.reduce((sum, offset, index) => (index % 2 === 0 ? sum - offset : sum + offset), 0);
}

function nextPart(scan: FieldScan): boolean {
  const { parts } = scan.message;
  scan.partIndex += 2;
  scan.at = parts[scan.partIndex] ?? scan.end;
  scan.end = parts[scan.partIndex + 1] ?? scan.end;
  return scan.partIndex < parts.length;
}

/** Of a field with a length, takes the length first. */
function valueLength(scan: FieldScan, wireType: number): number {
  if (wireType === WIRE_BYTES) return takeVarint(scan);
  if (wireType === WIRE_VARINT) return varintWidth(scan.message.bytes, scan.at, scan.end);
  if (wireType === WIRE_FIXED64) return 8;
  assert(wireType === WIRE_FIXED32, "groups are not accepted");
  return 4;
}

function takeVarint(scan: FieldScan): number {
  const width = varintWidth(scan.message.bytes, scan.at, scan.end);
  assert(width > 0, "an accepted varint ends within its message");
  const value = varintValue(scan.message.bytes, scan.at, width);
  scan.at += width;
  return value;
}
