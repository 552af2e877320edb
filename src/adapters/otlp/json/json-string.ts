import { BACKSLASH, fail, type JsonReader, nextByte, QUOTE } from "./json-reader.ts";

/**
 * Reads strings of JSON, in UTF-8. Source: RFC 8259, section 7.
 *
 * Half a surrogate pair, which JSON can express and UTF-8 cannot, becomes U+FFFD: a protobuf string
 * is UTF-8, and a broken character must not cost the span.
 */

export const FIRST_PRINTABLE = 0x20;
export const LETTER_U = 0x75;
const REPLACEMENT = 0xfffd;

const ESCAPES = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The escaped characters by code; 0 for letters without a meaning. */
const ESCAPED = new Uint8Array(256);
for (const [letter, meaning] of Object.entries(ESCAPES)) {
  ESCAPED[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}

/**
 * Copies the string that starts with the quote at `reader.at` to `to` in the wire, without escapes.
 * Returns the end of its text, or -1 on a fault. Also copies its closing quote, which does not
 * count, so that a comparison does not run into older bytes.
 *
 * The copy becomes permanent only when the caller moves `wireEnd`.
 */
export function copyString(reader: JsonReader, to: number): number {
  const { json, wire } = reader;
  let at = reader.at + 1;
  let end = to;
  for (;;) {
    const byte = json[at]!;
    wire[end] = byte;
    if (byte === QUOTE) break;
    if (byte === BACKSLASH) {
      reader.at = at;
      end = copyEscape(reader, end);
      if (end < 0) return -1;
      at = reader.at;
      continue;
    }
    if (!(byte >= FIRST_PRINTABLE)) return failInString(reader, at);
    at += 1;
    end += 1;
  }
  reader.at = at + 1;
  return end;
}

/** Copies a key after the end of the output. */
export function copyKey(reader: JsonReader): number {
  if (nextByte(reader) === QUOTE) return copyString(reader, reader.wireEnd);
  fail(reader, "expected a key in double quotes");
  return -1;
}

/** Records a fault within a string, including the end of the body. */
function failInString(reader: JsonReader, at: number): -1 {
  reader.at = at;
  fail(reader, "expected the rest of a string, without control characters");
  return -1;
}

/** Consumes one escape, or both of a surrogate pair; returns the end of the character, or -1. */
function copyEscape(reader: JsonReader, to: number): number {
  const { json, wire, at } = reader;
  const letter = json[at + 1] ?? 0;
  if (letter === LETTER_U) return copyCodePoint(reader, to);
  wire[to] = ESCAPED[letter]!;
  if (wire[to] === 0) return failInEscape(reader);
  reader.at = at + 2;
  return to + 1;
}

function copyCodePoint(reader: JsonReader, to: number): number {
  const { json, at } = reader;
  const unit = hexUnit(json, at);
  if (unit < 0) return failInEscape(reader);
  const next = isHighSurrogate(unit) ? hexUnit(json, at + 6) : -1;
  if (isLowSurrogate(next)) {
    reader.at = at + 12;
    return writeUtf8(reader.wire, to, 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff));
  }
  reader.at = at + 6;
  const isHalf = isHighSurrogate(unit) || isLowSurrogate(unit);
  return writeUtf8(reader.wire, to, isHalf ? REPLACEMENT : unit);
}

function failInEscape(reader: JsonReader): -1 {
  fail(reader, 'an escape must be one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 to \\uffff');
  return -1;
}

/** Returns the UTF-16 unit of the `\uXXXX` at `at`; -1 for anything else. */
function hexUnit(json: Uint8Array, at: number): number {
  if (json[at] !== BACKSLASH || json[at + 1] !== LETTER_U) return -1;
  const upper = (hexValue(json[at + 2]) << 4) | hexValue(json[at + 3]);
  const lower = (hexValue(json[at + 4]) << 4) | hexValue(json[at + 5]);
  return upper < 0 || lower < 0 ? -1 : (upper << 8) | lower;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Writes a character; returns the position after it. */
function writeUtf8(wire: Uint8Array, to: number, codePoint: number): number {
  let [at, shift] = [to, 0];
  if (codePoint < 0x80) wire[at] = codePoint;
  else if (codePoint < 0x800) [wire[at], shift] = [0xc0 | (codePoint >> 6), 6];
  else if (codePoint < 0x10000) [wire[at], shift] = [0xe0 | (codePoint >> 12), 12];
  else [wire[at], shift] = [0xf0 | (codePoint >> 18), 18];
  for (; shift > 0; shift -= 6) {
    at += 1;
    wire[at] = 0x80 | ((codePoint >> (shift - 6)) & 0x3f);
  }
  return at + 1;
}

/**
 * Decodes hex and base64 in place. The text is ASCII from `from` to `end`; the functions return the
 * end of the bytes, or -1 for invalid text. The bytes are always fewer than the characters that
 * encode them, so no unread text is overwritten.
 */

export const HEX_DIGITS = "0123456789abcdef";
export const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
export const PADDING = 0x3d;

/** The values of hex digits; -1 for other bytes. */
export const HEX_VALUES = digitValues(HEX_DIGITS, HEX_DIGITS.toUpperCase());

/** The values of both alphabets, because proto3 JSON accepts the URL-safe one as well. */
const BASE64_VALUES = digitValues(BASE64_DIGITS, BASE64_DIGITS.replace("+/", "-_"));

/**
 * Returns the value of each letter by code; -1, which makes any sum of bits negative, for others.
 */
function digitValues(...alphabets: string[]): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (const digits of alphabets) {
    for (let value = 0; value < digits.length; value += 1) values[digits.charCodeAt(value)] = value;
  }
  return values;
}

/** Returns the value of a hex digit; -1 for anything else, including the end of the bytes. */
export function hexValue(byte: number | undefined): number {
  return byte === undefined ? -1 : HEX_VALUES[byte]!;
}

/** Decodes hex digits of either case. */
export function hexInPlace(bytes: Uint8Array, from: number, end: number): number {
  if ((end - from) % 2 !== 0) return -1;
  let to = from;
  for (let at = from; at < end; at += 2) {
    const value = (HEX_VALUES[bytes[at]!]! << 4) | HEX_VALUES[bytes[at + 1]!]!;
    if (value < 0) return -1;
    bytes[to] = value;
    to += 1;
  }
  return to;
}

/** Decodes either alphabet, with or without padding. Drops bits after the last whole byte. */
export function base64InPlace(bytes: Uint8Array, from: number, end: number): number {
  const digitsEnd = unpaddedEnd(bytes, from, end);
  const leftOver = (digitsEnd - from) % 4;
  if (leftOver === 1 || (digitsEnd < end && (end - from) % 4 !== 0)) return -1;
  let to = from;
  let bits = 0;
  for (let at = from; at < digitsEnd; at += 1) {
    const value = BASE64_VALUES[bytes[at]!]!;
    if (value < 0) return -1;
    bits = ((bits << 6) | value) & 0xffffff;
    if ((at - from) % 4 === 0) continue;
    bytes[to] = bits >> (6 - 2 * ((at - from) % 4));
    to += 1;
  }
  return to;
}

/** Returns the end of the text without padding, of at most two `=`. */
function unpaddedEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = end;
  while (at > from && end - at < 2 && bytes[at - 1] === PADDING) at -= 1;
  return at;
}
