import { KEY_TAG, VALUE_TAG } from "../../../domain/wire/otlp-tags.ts";
import { WIRE_BYTES, WIRE_FIXED64 } from "../../../domain/wire/otlp-schema.ts";
import { varintWidth } from "../../../domain/wire/scalars.ts";
import { writeScalar } from "./json-scalar-writer.ts";
import { type Field, SHAPES } from "./json-shape.ts";
import { writeString } from "./json-string-writer.ts";
import { addShortJson, type JsonWriter } from "./json-writer.ts";

/** A member of `AnyValue` that is a scalar. */
interface PlainValue {
  readonly kind: Exclude<Field["value"], object>;
  readonly wireType: number;
  readonly before: Uint8Array;
}

/** By tag. */
const PLAIN_VALUES: (PlainValue | undefined)[] = Array<undefined>(128).fill(undefined);
for (const { name, value, tag, isProfilesOnly } of SHAPES.AnyValue.fields) {
  if (typeof value !== "string" || isProfilesOnly) continue;
  const before = new TextEncoder().encode(`,"value":{"${name}":`);
  PLAIN_VALUES[tag] = { kind: value, wireType: tag & 7, before };
}

const MAX_PLAIN_BYTES = 0x7f;
const BEFORE_KEY = new TextEncoder().encode('{"key":');
const AFTER_VALUE = new TextEncoder().encode("}}");

/**
 * Writes an attribute of the form that nearly all have: a short key with one short scalar. It is
 * recognised by a few bytes, instead of a look at each field of two messages, which takes three
 * times as long. Returns false for any other form, and has written nothing then.
 *
 *     [0a][key bytes][ key ... ][12][value bytes][ tag ][ string: length ][ value ... ]
 */
export function writePlainAttribute(writer: JsonWriter, at: number, end: number): boolean {
  const { wire } = writer;
  const keyAt = at + 2;
  const keyEnd = keyAt + wire[at + 1]!;
  const tagAt = keyEnd + 2;
  // In so few bytes, a length of two bytes cannot be mistaken for one of one byte.
  if (end - at > MAX_PLAIN_BYTES || wire[at] !== KEY_TAG || keyEnd === keyAt) return false;
  if (tagAt + 2 > end || wire[keyEnd] !== VALUE_TAG || tagAt + wire[keyEnd + 1]! !== end)
    return false;
  const plain = PLAIN_VALUES[wire[tagAt]!];
  if (plain === undefined) return false;
  const valueAt = plainValueAt(wire, plain.wireType, tagAt, end);
  if (valueAt < 0) return false;
  addShortJson(writer, BEFORE_KEY);
  writeString(writer, keyAt, keyEnd);
  addShortJson(writer, plain.before);
  writeScalar(writer, plain.kind, valueAt, end);
  addShortJson(writer, AFTER_VALUE);
  return true;
}

/** Returns where the value after the tag begins; -1 if it is not the only one up to `end`. */
function plainValueAt(wire: Uint8Array, wireType: number, tagAt: number, end: number): number {
  const next = tagAt + 1;
  if (wireType === WIRE_BYTES) return end - next - 1 === wire[next] ? next + 1 : -1;
  const width = wireType === WIRE_FIXED64 ? 8 : varintWidth(wire, next, end);
  return next + width === end ? next : -1;
}
