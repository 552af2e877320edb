import { type JsonWriter, reserve } from "./json-writer.ts";

const DIGIT_0 = 0x30;
const MINUS = 0x2d;

/** A group of nine digits, whose values take 30 bits. */
const GROUP = 1_000_000_000;
const GROUP_DIGITS = 9;

/** The room for any 64-bit number. */
const MAX_DIGITS = 20;

/** Writes a whole number below 2^32. */
export function writeUint32(writer: JsonWriter, value: number): void {
  writeUint64(writer, 0, value);
}

/** Writes a whole number that is exact as a double. */
export function writeWhole(writer: JsonWriter, value: number): void {
  writeUint64(writer, Math.floor(value / 2 ** 32), value >>> 0);
}

export function writeInt32(writer: JsonWriter, value: number): void {
  if (value < 0) addMinus(writer);
  writeUint64(writer, 0, Math.abs(value));
}

/**
 * Writes a signed 64-bit number in two's complement, given in two halves, as all 64-bit numbers
 * here: a bigint and its text would be garbage.
 */
export function writeInt64(writer: JsonWriter, high: number, low: number): void {
  if (high < 2 ** 31) return writeUint64(writer, high, low);
  addMinus(writer);
  return writeUint64(writer, (~high + (low === 0 ? 1 : 0)) >>> 0, -low >>> 0);
}

export function writeUint64(writer: JsonWriter, high: number, low: number): void {
  reserve(writer, MAX_DIGITS);
  if (high === 0 && low < GROUP) return addDigits(writer, low, widthOf(low));
  // Long division by the size of a group, in steps of 16 bits, so that all numbers are exact.
  const quotient0 = Math.floor(high / GROUP);
  const dividend1 = (high - quotient0 * GROUP) * 2 ** 16 + (low >>> 16);
  const quotient1 = Math.floor(dividend1 / GROUP);
  const dividend2 = (dividend1 - quotient1 * GROUP) * 2 ** 16 + (low & 0xffff);
  const quotient2 = Math.floor(dividend2 / GROUP);
  writeAbove(writer, quotient0 * 2 ** 32 + quotient1 * 2 ** 16 + quotient2);
  return addDigits(writer, dividend2 - quotient2 * GROUP, GROUP_DIGITS);
}

/** Writes the digits above the last group, of which there are at most eleven. */
function writeAbove(writer: JsonWriter, value: number): void {
  if (value < GROUP) return addDigits(writer, value, widthOf(value));
  const first = Math.floor(value / GROUP);
  addDigits(writer, first, widthOf(first));
  return addDigits(writer, value - first * GROUP, GROUP_DIGITS);
}

/** Writes a number below 2^30 with so many digits. */
function addDigits(writer: JsonWriter, value: number, width: number): void {
  const { json, jsonEnd } = writer;
  let rest = value | 0;
  for (let at = jsonEnd + width - 1; at >= jsonEnd; at -= 1) {
    const tens = (rest / 10) | 0;
    json[at] = DIGIT_0 + rest - 10 * tens;
    rest = tens;
  }
  writer.jsonEnd += width;
}

/** Returns the number of digits of a number below 2^30. */
function widthOf(value: number): number {
  let width = 1;
  for (let bound = 10; value >= bound; bound *= 10) width += 1;
  return width;
}

function addMinus(writer: JsonWriter): void {
  reserve(writer, 1);
  writer.json[writer.jsonEnd] = MINUS;
  writer.jsonEnd += 1;
}
