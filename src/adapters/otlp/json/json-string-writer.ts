import { isUtf8 } from "node:buffer";
import { BACKSLASH, QUOTE } from "./json-reader.ts";
import { HEX_DIGITS, LETTER_U } from "./json-string.ts";
import { addByte, type JsonWriter, reserve } from "./json-writer.ts";

/** A byte that is written unchanged. */
const PLAIN = 0;
/** A control character without a letter of its own. */
const CONTROL = 1;
/** A byte of a character beyond ASCII. */
const BEYOND_ASCII = 2;

/** How each byte of a text is written: one of the codes above, or the letter after a backslash. */
const FORMS = new Uint8Array(256).fill(CONTROL, 0, 0x20).fill(BEYOND_ASCII, 0x80);
for (const [character, letter] of ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"]) {
  FORMS[character!.charCodeAt(0)] = letter!.charCodeAt(0);
}

/** How each byte is written of a text that is known to be valid UTF-8. */
const FORMS_IN_VALID = FORMS.slice().fill(PLAIN, 0x80);

const HEX = new TextEncoder().encode(HEX_DIGITS);
const ZERO = HEX[0]!;

/** The bytes of a text for which room is made at once. */
const PIECE_BYTES = 1024;
/** The longest form of a byte, as in `\u0000`. */
const FORM_BYTES = 6;

/** The highest bit of four bytes. */
const HIGH_BITS = 0x80808080 | 0;

/** The number of plain bytes after which eight are taken at once again. */
const SINGLE_BYTES = 8;

/** From this length on, one call of the runtime is quicker than a look at each character. */
const LONG_BYTES = 64;

/**
 * Writes a text of the wire in quotes, with the escapes of `JSON.stringify`. Invalid UTF-8 becomes
 * U+FFFD as in any decoder: a broken string of a sender must not break the answer.
 */
export function writeString(writer: JsonWriter, from: number, end: number): void {
  const isKnown = end - from >= LONG_BYTES && isUtf8(writer.wire.subarray(from, end));
  addByte(writer, QUOTE);
  for (let at = from; at < end;) at = writePiece(writer, at, end, isKnown ? 0 : HIGH_BITS);
  addByte(writer, QUOTE);
}

/**
 * Writes a piece of a text; returns its end. `unknown` has the bits of a byte that show that it is
 * not plain, because it may be invalid: none in a text that is known to be valid.
 */
function writePiece(writer: JsonWriter, from: number, end: number, unknown: number): number {
  const pieceEnd = Math.min(end, from + PIECE_BYTES);
  // The last character may end after the piece.
  reserve(writer, FORM_BYTES * (pieceEnd - from) + FORM_BYTES);
  const forms = unknown === 0 ? FORMS_IN_VALID : FORMS;
  let at = from;
  while (at < pieceEnd) {
    at = copyWords(writer, at, pieceEnd, unknown);
    at = copyBytes(writer, at, pieceEnd, forms);
    const form = at < pieceEnd ? forms[writer.wire[at]!]! : PLAIN;
    if (form === CONTROL) at = writeControl(writer, at);
    else if (form === BEYOND_ASCII) at = writeCharacter(writer, at, end);
  }
  return at;
}

/** Copies eight bytes at once while all of them are plain; returns the position after them. */
function copyWords(writer: JsonWriter, from: number, end: number, unknown: number): number {
  const { wireWords, jsonWords } = writer;
  let to = writer.jsonEnd;
  let at = from;
  for (; at + 8 <= end; at += 8) {
    const first = wireWords.getInt32(at, true);
    const second = wireWords.getInt32(at + 4, true);
    const odd = escapedBytes(first) | escapedBytes(second) | ((first | second) & unknown);
    if ((odd & HIGH_BITS) !== 0) break;
    jsonWords.setInt32(to, first, true);
    jsonWords.setInt32(to + 4, second, true);
    to += 8;
  }
  writer.jsonEnd = to;
  return at;
}

/**
 * Copies single bytes, and escapes those that have a letter for it, until several in a row are
 * plain, because such bytes come in groups. Stops at a byte that needs another form; returns its
 * position.
 */
function copyBytes(writer: JsonWriter, from: number, end: number, forms: Uint8Array): number {
  const { wire, json } = writer;
  let to = writer.jsonEnd;
  let at = from;
  for (let stopAt = at + SINGLE_BYTES; at < end && at < stopAt; at += 1) {
    const byte = wire[at]!;
    const form = forms[byte]!;
    if (form === PLAIN) json[to] = byte;
    else if (form <= BEYOND_ASCII) break;
    else {
      json[to] = BACKSLASH;
      to += 1;
      json[to] = form;
      stopAt = at + 1 + SINGLE_BYTES;
    }
    to += 1;
  }
  writer.jsonEnd = to;
  return at;
}

/**
 * Looks for bytes below 0x20, quotes and backslashes among four bytes: a subtraction borrows from
 * the highest bit of such a byte. The borrow reaches a further byte only after that.
 */
function escapedBytes(word: number): number {
  const controls = (word - 0x20202020) | 0;
  const quotes = ((word ^ 0x22222222) - 0x01010101) | 0;
  const backslashes = ((word ^ 0x5c5c5c5c) - 0x01010101) | 0;
  return (controls | quotes | backslashes) & ~word;
}

/** Writes a control character as `\u` and its code; returns the position after it. */
function writeControl(writer: JsonWriter, at: number): number {
  const { wire, json, jsonEnd } = writer;
  const byte = wire[at]!;
  json[jsonEnd] = BACKSLASH;
  json[jsonEnd + 1] = LETTER_U;
  json[jsonEnd + 2] = ZERO;
  json[jsonEnd + 3] = ZERO;
  json[jsonEnd + 4] = HEX[byte >> 4]!;
  json[jsonEnd + 5] = HEX[byte & 0xf]!;
  writer.jsonEnd += 6;
  return at + 1;
}

/** Writes a character beyond ASCII, or U+FFFD instead of a broken one; returns the end of it. */
function writeCharacter(writer: JsonWriter, at: number, end: number): number {
  const { wire, json, jsonEnd } = writer;
  const width = characterWidth(wire, at, end);
  if (width < 0) {
    json[jsonEnd] = 0xef;
    json[jsonEnd + 1] = 0xbf;
    json[jsonEnd + 2] = 0xbd;
    writer.jsonEnd += 3;
    return at - width;
  }
  for (let index = 0; index < width; index += 1) json[jsonEnd + index] = wire[at + index]!;
  writer.jsonEnd += width;
  return at + width;
}

/**
 * Returns the number of bytes of the character at `at`. If it is broken, the result is negative: as
 * many bytes as could begin a character become one U+FFFD.
 *
 * Source: The Unicode Standard, table 3-7, and "U+FFFD substitution of maximal subparts".
 */
function characterWidth(wire: Uint8Array, at: number, end: number): number {
  const first = wire[at]!;
  if (first < 0xc2 || first > 0xf4) return -1;
  const width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let index = 1; index < width; index += 1) {
    const byte = at + index < end ? wire[at + index]! : 0;
    const isWithin = index === 1 ? isSecond(first, byte) : isContinuation(byte);
    if (!isWithin) return -index;
  }
  return width;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Reports whether the first two bytes belong to a character: not a surrogate, nor overlong. */
function isSecond(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0 && second <= 0xbf;
  if (first === 0xed) return second >= 0x80 && second <= 0x9f;
  if (first === 0xf0) return second >= 0x90 && second <= 0xbf;
  if (first === 0xf4) return second >= 0x80 && second <= 0x8f;
  return isContinuation(second);
}
