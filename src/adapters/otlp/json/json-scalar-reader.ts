import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { WIRE_FIXED64 } from "../../../domain/wire/otlp-schema.ts";
import { type NumberText, readWhole, scanNumber } from "./json-number.ts";
import {
  beginBody,
  endBody,
  fail,
  type JsonReader,
  QUOTE,
  takeWord,
  writeTag,
} from "./json-reader.ts";
import type { Field, ScalarKind } from "./json-shape.ts";
import { copyString, base64InPlace, hexInPlace } from "./json-string.ts";

/** Reads the value at `reader.at`, and writes it with its tag; returns false on a fault. */
type ScalarReader = (reader: JsonReader, field: Field) => boolean;

/**
 * The readers of all scalars, counterparts of `SCALAR_TEXT`. Zeros and empty strings are written
 * too: the last value of a duplicate key counts, and an omitted one could not override an earlier
 * one.
 *
 * Source: proto3 JSON mapping, and the OTLP specification for identifiers and enums.
 */
export const SCALAR_READERS: Readonly<Record<ScalarKind, ScalarReader>> = {
  string: (reader, field) => readText(reader, field, (_, __, end) => end),
  hex: (reader, field) => readText(reader, field, idInPlace),
  base64: readBase64,
  bool: readBool,
  double: readDouble,
  int32: (reader, field) => readInteger(reader, field, INT32) && writeVarint64(reader),
  uint32: (reader, field) => readInteger(reader, field, UINT32) && writeVarint64(reader),
  int64: readInt64,
  fixed32: (reader, field) => readInteger(reader, field, UINT32) && writeFixed32(reader),
  fixed64: (reader, field) => readInteger(reader, field, UINT64) && writeFixed64(reader),
};

/** Records what a field, or each value of a repeated one, must be. */
export function failValue(reader: JsonReader, field: Field, what: string, at?: number): false {
  return fail(reader, `${field.isRepeated ? "each of " : ""}"${field.name}" must be ${what}`, at);
}

/** The maximum size of quoted text, which is more than a message shows. */
const MAX_QUOTED_BYTES = 1024;

type Decode = (bytes: Uint8Array, from: number, end: number) => number;

/** Reads a string: copies it, then decodes it in place; -1 is a fault in its content. */
function readText(reader: JsonReader, field: Field, decode: Decode): boolean {
  if (reader.json[reader.at] !== QUOTE) return failValue(reader, field, "a string");
  const bodyAt = beginBody(reader, field.tag);
  const textEnd = copyString(reader, bodyAt);
  if (textEnd < 0) return false;
  const bodyEnd = decode(reader.wire, bodyAt, textEnd);
  if (bodyEnd >= 0) endBody(reader, bodyAt, bodyEnd);
  return bodyEnd >= 0;
}

/**
 * Decodes an identifier. Text that is not hex becomes one byte, which is never valid, so the walk
 * refuses the span.
 */
function idInPlace(bytes: Uint8Array, from: number, end: number): number {
  const idEnd = hexInPlace(bytes, from, end);
  if (idEnd >= 0) return idEnd;
  bytes[from] = 0;
  return from + 1;
}

function readBase64(reader: JsonReader, field: Field): boolean {
  const from = reader.at;
  if (readText(reader, field, base64InPlace)) return true;
  return reader.fault === "" ? failValue(reader, field, "base64", from) : false;
}

function readBool(reader: JsonReader, field: Field): boolean {
  const isTrue = takeWord(reader, "true");
  if (!isTrue && !takeWord(reader, "false")) return failValue(reader, field, "true or false");
  writeTag(reader, field.tag);
  reader.wire[reader.wireEnd] = isTrue ? 1 : 0;
  reader.wireEnd += 1;
  return true;
}

function readDouble(reader: JsonReader, field: Field): boolean {
  const from = reader.at;
  const isQuoted = reader.json[from] === QUOTE;
  const value = isQuoted ? quotedDouble(reader) : plainDouble(reader);
  if (value === undefined) {
    if (reader.fault !== "") return false;
    return failValue(reader, field, 'a number of 64 bits, "NaN", "Infinity" or "-Infinity"', from);
  }
  writeDouble(reader, field.tag, value);
  return true;
}

function writeDouble(reader: JsonReader, tag: number, value: number): void {
  writeTag(reader, tag);
  reader.wireEnd = reader.wire.writeDoubleLE(value, reader.wireEnd);
}

function plainDouble(reader: JsonReader): number | undefined {
  const { json, at } = reader;
  const end = scanNumber(reader.number, json, at);
  if (end < 0) return undefined;
  reader.at = end;
  return finite(json.toString("latin1", at, end));
}

function quotedDouble(reader: JsonReader): number | undefined {
  const { wire, wireEnd } = reader;
  const end = copyString(reader, wireEnd);
  if (end < 0) return undefined;
  const text = wire.toString("latin1", wireEnd, end);
  if (text === "NaN" || text === "Infinity" || text === "-Infinity") return Number(text);
  return scanNumber(reader.number, wire, wireEnd) === end ? finite(text) : undefined;
}

/** Returns a finite number: one beyond all doubles, such as 1e999, does not mean infinity. */
function finite(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

interface IntegerRange {
  readonly is64: boolean;
  readonly isSigned: boolean;
  readonly words: string;
}

const INT32 = integerRange({ is64: false, isSigned: true });
const UINT32 = integerRange({ is64: false, isSigned: false });
const INT64 = integerRange({ is64: true, isSigned: true });
const UINT64 = integerRange({ is64: true, isSigned: false });

function integerRange({ is64, isSigned }: { is64: boolean; isSigned: boolean }): IntegerRange {
  const values = 2n ** (is64 ? 64n : 32n);
  const least = isSigned ? -values / 2n : 0n;
  return { is64, isSigned, words: `a whole number from ${least} to ${least + values - 1n}` };
}

/**
 * Reads the integer of an attribute, the only field of this kind. The SDK for JavaScript writes any
 * whole number as an integer, 2 ** 70 and 6.02214076e+23 included, which its protobuf exporter
 * sends as a double. So does this reader: otherwise one value would cost the whole batch.
 */
function readInt64(reader: JsonReader, field: Field): boolean {
  const from = reader.at;
  const source = takeNumber(reader);
  if (reader.fault !== "") return false;
  if (source === undefined) return failInteger(reader, field, { range: INT64, from });
  if (readWhole(reader.number, source) && fits(reader.number, INT64)) {
    writeIntegerTag(reader, field);
    return writeVarint64(reader);
  }
  reader.at = from;
  const value = beyond64Bits(reader);
  if (value === undefined) return failInteger(reader, field, { range: INT64, from });
  writeDouble(reader, DOUBLE_VALUE_TAG, value);
  return true;
}

/** The tag of `doubleValue`, in the same message as `intValue`. */
const DOUBLE_VALUE_TAG = (4 << 3) | WIRE_FIXED64;

/**
 * Returns the double nearest to the number at `reader.at`; undefined when the number fits in 64
 * bits.
 */
function beyond64Bits(reader: JsonReader): number | undefined {
  const isQuoted = reader.json[reader.at] === QUOTE;
  const value = isQuoted ? quotedDouble(reader) : plainDouble(reader);
  return value === undefined || Math.abs(value) < 2 ** 63 ? undefined : value;
}

/** Reads an integer into `reader.number`, in two's complement, and writes the tag. */
function readInteger(reader: JsonReader, field: Field, range: IntegerRange): boolean {
  const from = reader.at;
  const source = takeNumber(reader);
  if (reader.fault !== "") return false;
  if (source === undefined || !readWhole(reader.number, source) || !fits(reader.number, range)) {
    return failInteger(reader, field, { range, from });
  }
  writeIntegerTag(reader, field);
  return true;
}

/** Converts the number to two's complement, and writes the tag. */
function writeIntegerTag(reader: JsonReader, field: Field): void {
  if (reader.number.isNegative) negate(reader.number);
  writeTag(reader, field.tag);
}

/** Returns the bytes that hold the number just read: those of the copy if it was quoted. */
function takeNumber(reader: JsonReader): Uint8Array | undefined {
  const { json, wire, wireEnd, number } = reader;
  if (json[reader.at] === QUOTE) {
    const plainEnd = scanNumber(number, json, reader.at + 1);
    if (plainEnd >= 0 && json[plainEnd] === QUOTE) {
      reader.at = plainEnd + 1;
      return json;
    }
    // It has an escape, or is no number.
    const end = copyString(reader, wireEnd);
    return end >= 0 && scanNumber(number, wire, wireEnd) === end ? wire : undefined;
  }
  const end = scanNumber(number, json, reader.at);
  if (end < 0) return undefined;
  reader.at = end;
  return json;
}

function fits({ isNegative, high, low }: NumberText, { is64, isSigned }: IntegerRange): boolean {
  if (!is64 && high > 0) return false;
  if (!isSigned) return !isNegative || (high === 0 && low === 0);
  const top = is64 ? high : low;
  const isLeast = isNegative && top === 2 ** 31 && (!is64 || low === 0);
  return top < 2 ** 31 || isLeast;
}

function negate(number: NumberText): void {
  number.low = -number.low >>> 0;
  number.high = (~number.high + (number.low === 0 ? 1 : 0)) >>> 0;
}

/**
 * Records a fault. Quotes an enum, whose name is from a list; other values come from the peer, and
 * are not quoted.
 */
function failInteger(
  reader: JsonReader,
  field: Field,
  { range, from }: { range: IntegerRange; from: number },
): false {
  const isEnum = range === INT32 && !field.isProfilesOnly;
  if (!isEnum || reader.json[from] !== QUOTE) return failValue(reader, field, range.words, from);
  reader.at = from;
  const { wire, wireEnd } = reader;
  const nameEnd = Math.min(copyString(reader, wireEnd), wireEnd + MAX_QUOTED_BYTES);
  const name = quotePeerText(wire.toString("utf8", wireEnd, nameEnd));
  return failValue(reader, field, `a whole number, not a name such as "${name}"`, from);
}

function writeVarint64(reader: JsonReader): true {
  const { wire } = reader;
  let { high, low } = reader.number;
  for (; high > 0 || low > 0x7f; high >>>= 7) {
    wire[reader.wireEnd] = (low & 0x7f) | 0x80;
    reader.wireEnd += 1;
    low = ((low >>> 7) | (high << 25)) >>> 0;
  }
  wire[reader.wireEnd] = low;
  reader.wireEnd += 1;
  return true;
}

function writeFixed32(reader: JsonReader): true {
  writeUint32(reader, reader.number.low);
  return true;
}

function writeFixed64(reader: JsonReader): true {
  writeUint32(reader, reader.number.low);
  writeUint32(reader, reader.number.high);
  return true;
}

/** Writes a number, least significant byte first. */
function writeUint32(reader: JsonReader, value: number): void {
  const { wire, wireEnd } = reader;
  wire[wireEnd] = value;
  wire[wireEnd + 1] = value >>> 8;
  wire[wireEnd + 2] = value >>> 16;
  wire[wireEnd + 3] = value >>> 24;
  reader.wireEnd = wireEnd + 4;
}
