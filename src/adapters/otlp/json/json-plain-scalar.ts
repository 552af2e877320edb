import { writeVarint } from "../../../domain/wire/scalars.ts";
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  type JsonReader,
  QUOTE,
  SPACE,
  writeTag,
} from "./json-reader.ts";
import type { Field } from "./json-shape.ts";
import { FIRST_PRINTABLE, HEX_VALUES } from "./json-string.ts";

/**
 * Reads scalars in the form in which nearly every exporter writes them: short strings without
 * escapes, identifiers of hex digits, times in quotes, whole numbers of a few digits. A span has
 * two dozen of them, and each takes 15 to 60 ns less than in `SCALAR_READERS`, which read every
 * form, and report faults.
 *
 * Takes the value at `reader.at`, and writes it with its tag. Returns false for any other form, and
 * has moved nothing then.
 */
export function takePlainScalar(reader: JsonReader, field: Field): boolean {
  if (field.plain === "text") return takeText(reader, field);
  if (field.plain === "whole") return takeWhole(reader, field);
  if (field.plain === "time") return takeTime(reader, field);
  return field.plain === "id" && takeId(reader, field);
}

/** The length of a string or identifier takes one byte up to here, and so do their tags. */
const MAX_TEXT_BYTES = 0x7f;

function takeText(reader: JsonReader, field: Field): boolean {
  const { json, wire, wireEnd } = reader;
  let at = reader.at + 1;
  if (json[at - 1] !== QUOTE) return false;
  const bodyAt = wireEnd + 2;
  const limit = at + MAX_TEXT_BYTES;
  let end = bodyAt;
  for (; at < limit; at += 1) {
    const byte = json[at]!;
    if (byte === QUOTE || byte === BACKSLASH || !(byte >= FIRST_PRINTABLE)) break;
    wire[end] = byte;
    end += 1;
  }
  if (json[at] !== QUOTE) return false;
  wire[wireEnd] = field.tag;
  wire[wireEnd + 1] = end - bodyAt;
  reader.at = at + 1;
  reader.wireEnd = end;
  return true;
}

const ZERO = 0x30;
/** The digits that 32 bits always hold, with a sign. */
const WHOLE_DIGITS = 9;

/** Takes a number without sign, in quotes or not. */
function takeWhole(reader: JsonReader, field: Field): boolean {
  const { json } = reader;
  const isQuoted = json[reader.at] === QUOTE;
  const from = isQuoted ? reader.at + 1 : reader.at;
  // A number that starts with zero has no further digit.
  const limit = from + (json[from] === ZERO ? 1 : WHOLE_DIGITS);
  let at = from;
  let value = 0;
  for (; at < limit; at += 1) {
    const digit = json[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value = (value * 10 + digit) | 0;
  }
  const after = json[at];
  const isEnd = isQuoted
    ? after === QUOTE
    : after === COMMA || after === CLOSE_BRACE || after === CLOSE_BRACKET || after! <= SPACE;
  if (at === from || !isEnd) return false;
  reader.at = isQuoted ? at + 1 : at;
  writeTag(reader, field.tag);
  if (field.value === "fixed32") writeInt32(reader, value);
  else reader.wireEnd = writeVarint(reader.wire, reader.wireEnd, value);
  return true;
}

function writeInt32(reader: JsonReader, value: number): void {
  reader.wireWords.setInt32(reader.wireEnd, value, true);
  reader.wireEnd += 4;
}

/** The digits of any time in nanoseconds from 2001 to 2286. Such a number fits in 64 bits. */
const TIME_DIGITS = 19;

/**
 * Takes a time. Its digits are read four at once, and joined without loss as in `json-number`.
 *
 *     " 1700 0000 0000 0000 001 "
 *       a    b    c    d          e: the last four, one of them also in d
 */
function takeTime(reader: JsonReader, field: Field): boolean {
  const { json, jsonWords, at } = reader;
  const from = at + 1;
  const end = from + TIME_DIGITS;
  if (end >= json.length || json[at] !== QUOTE || json[end] !== QUOTE) return false;
  const a = fourDigits(jsonWords.getInt32(from, true));
  const b = fourDigits(jsonWords.getInt32(from + 4, true));
  const c = fourDigits(jsonWords.getInt32(from + 8, true));
  const d = fourDigits(jsonWords.getInt32(from + 12, true));
  const e = fourDigits(jsonWords.getInt32(from + 15, true));
  if ((a | b | c | d | e) < 0 || json[from] === ZERO) return false;
  const head = (a * 1e4 + b) * 1e7 + c * 1e3 + ((d / 10) | 0);
  const headHigh = Math.floor(head / 2 ** 32);
  const low = (head - headHigh * 2 ** 32) * 1e4 + e;
  const carry = Math.floor(low / 2 ** 32);
  reader.at = end + 1;
  writeTag(reader, field.tag);
  writeInt32(reader, int32(low - carry * 2 ** 32));
  writeInt32(reader, int32(headHigh * 1e4 + carry));
  return true;
}

/**
 * Returns the 32 bits of a number as an integer with a sign. `value | 0` calls into the runtime for
 * numbers from 2 ** 31 on, which takes 20 ns.
 */
function int32(value: number): number {
  const upper = Math.floor(value / 2 ** 16);
  return (upper << 16) | (value - upper * 2 ** 16);
}

/** Returns the value of four digits, the first of which is the lowest byte; -1 for other bytes. */
function fourDigits(word: number): number {
  const digits = (word - 0x30303030) | 0;
  // A byte is a digit if its upper half is 3, and still is when 6 is added.
  const others = ((word & 0xf0f0f0f0) ^ 0x30303030) | ((digits + 0x06060606) & 0xf0f0f0f0);
  if (others !== 0) return -1;
  const pairs = (digits * 10 + (digits >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

/** The digits of a trace identifier, the longest. */
const MAX_ID_DIGITS = 32;

/** Takes an identifier, whatever its length: the walk checks that later. */
function takeId(reader: JsonReader, field: Field): boolean {
  const { json, wire, wireEnd } = reader;
  let at = reader.at + 1;
  const limit = at + MAX_ID_DIGITS;
  if (limit >= json.length || json[at - 1] !== QUOTE) return false;
  const bodyAt = wireEnd + 2;
  let end = bodyAt;
  for (; at < limit; at += 2) {
    const value = (HEX_VALUES[json[at]!]! << 4) | HEX_VALUES[json[at + 1]!]!;
    if (value < 0) break;
    wire[end] = value;
    end += 1;
  }
  if (json[at] !== QUOTE) return false;
  wire[wireEnd] = field.tag;
  wire[wireEnd + 1] = end - bodyAt;
  reader.at = at + 1;
  reader.wireEnd = end;
  return true;
}
