/**
 * Bytes from hex and from base64, in the place of the text that they come from. The text is ASCII
 * at `from` up to `end`; the answer is where the bytes end, or -1 when the text is not what it
 * should be. Bytes are never more than the letters that tell them, so nothing unread is written to.
 */

const HEX_DIGITS = "0123456789abcdef";
const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 0x3d;

const HEX_VALUES = digitValues(HEX_DIGITS, HEX_DIGITS.toUpperCase());

/** Both alphabets: proto3 JSON takes the one that is safe in URLs as well. */
const BASE64_VALUES = digitValues(BASE64_DIGITS, BASE64_DIGITS.replace("+/", "-_"));

/** The value of each letter, by code; -1, which makes any sum of bits negative, for the others. */
function digitValues(...alphabets: string[]): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (const digits of alphabets) {
    for (let value = 0; value < digits.length; value += 1) values[digits.charCodeAt(value)] = value;
  }
  return values;
}

/** -1 for what is no digit, the end of the bytes included. */
export function hexValue(byte: number | undefined): number {
  return byte === undefined ? -1 : HEX_VALUES[byte]!;
}

/** Digits of either case. */
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

/** Of either alphabet; padding may be left out. Bits behind the last whole byte are dropped. */
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

/** Without up to two `=`. */
function unpaddedEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = end;
  while (at > from && end - at < 2 && bytes[at - 1] === PADDING) at -= 1;
  return at;
}
