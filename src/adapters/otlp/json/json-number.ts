/**
 * Reads numbers of JSON, and whole ones of 64 bits without loss.
 * Source: RFC 8259, section 6; proto3 JSON, which accepts `1.0` and `1e3` as whole numbers.
 */

/**
 * The parts of a number, and its value once `readWhole` has read it. One is created for a body and
 * used for all of its numbers.
 *
 *     -1200.50e-3      isNegative, exponent -3
 *      ^wholeAt
 *          ^wholeEnd
 *             ^digitsEnd
 */
export interface NumberText {
  isNegative: boolean;
  wholeAt: number;
  wholeEnd: number;
  digitsEnd: number;
  exponent: number;
  /** The magnitude: high * 2^32 + low. */
  high: number;
  low: number;
  /** The digits of a number that must be written without its fraction or exponent. */
  readonly spelt: Uint8Array;
}

export function createNumberText(): NumberText {
  return {
    isNegative: false,
    wholeAt: 0,
    wholeEnd: 0,
    digitsEnd: 0,
    exponent: 0,
    high: 0,
    low: 0,
    spelt: new Uint8Array(MAX_DIGITS),
  };
}

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

/** The maximum exponent, which is larger than the number of digits in any body. */
const MAX_EXPONENT = 1e12;

/** The maximum number of digits: 2^64 has twenty. */
const MAX_DIGITS = 20;

/** The digits that a double always holds without loss, and those that 32 bits hold. */
const DOUBLE_DIGITS = 15;
const INT32_DIGITS = 9;
const TAIL_SCALES = [1, 10, 100, 1_000, 10_000, 100_000];

/** Returns the end of the number that starts at `from`; -1 without a number. */
export function scanNumber(number: NumberText, bytes: Uint8Array, from: number): number {
  number.isNegative = bytes[from] === MINUS;
  number.wholeAt = number.isNegative ? from + 1 : from;
  const isZero = bytes[number.wholeAt] === ZERO;
  number.wholeEnd = isZero ? number.wholeAt + 1 : skipDigits(bytes, number.wholeAt);
  if (number.wholeEnd === number.wholeAt) return -1;
  number.digitsEnd = number.wholeEnd;
  number.exponent = 0;
  if (bytes[number.wholeEnd] === POINT) {
    number.digitsEnd = skipDigits(bytes, number.wholeEnd + 1);
    if (number.digitsEnd === number.wholeEnd + 1) return -1;
  }
  const letter = bytes[number.digitsEnd];
  const hasExponent = letter === LOWER_E || letter === UPPER_E;
  return hasExponent ? scanExponent(number, bytes, number.digitsEnd + 1) : number.digitsEnd;
}

function scanExponent(number: NumberText, bytes: Uint8Array, from: number): number {
  const sign = bytes[from];
  const digitsAt = sign === MINUS || sign === PLUS ? from + 1 : from;
  const end = skipDigits(bytes, digitsAt);
  let exponent = 0;
  for (let at = digitsAt; at < end; at += 1) {
    exponent = Math.min(exponent * 10 + bytes[at]! - ZERO, MAX_EXPONENT);
  }
  number.exponent = sign === MINUS ? -exponent : exponent;
  return end === digitsAt ? -1 : end;
}

/** Returns the position after the digits. Reads past the end of the bytes yield no digit. */
function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at += 1;
  return at;
}

/** Sets the magnitude; returns false when the number is not whole, or exceeds 64 bits. */
export function readWhole(number: NumberText, bytes: Uint8Array): boolean {
  const { wholeAt, wholeEnd, digitsEnd, exponent } = number;
  // Nearly every number of a trace has digits only, and does not start with zero.
  const isPlain = digitsEnd === wholeEnd && exponent === 0;
  const digits = isPlain ? wholeEnd - wholeAt : spellOut(number, bytes);
  if (digits < 0 || digits > MAX_DIGITS) return false;
  return isPlain
    ? readDigits(number, bytes, wholeAt, wholeEnd)
    : readDigits(number, number.spelt, 0, digits);
}

/**
 * Writes the digits of a number without its fraction or exponent into `number.spelt`. Returns how
 * many digits it has, which may be too many to write; -1 when some are after the decimal point.
 */
function spellOut(number: NumberText, bytes: Uint8Array): number {
  const [first, last] = [firstNonZero(number, bytes), lastNonZero(number, bytes)];
  if (first === number.digitsEnd) return 0;
  const digits = exponentOf(number, first) + 1;
  if (exponentOf(number, last) < 0) return -1;
  if (digits > MAX_DIGITS) return digits;
  number.spelt.fill(ZERO);
  for (let at = first; at <= last; at += 1) {
    if (bytes[at] !== POINT) number.spelt[digits - 1 - exponentOf(number, at)] = bytes[at]!;
  }
  return digits;
}

function firstNonZero({ wholeAt, digitsEnd }: NumberText, bytes: Uint8Array): number {
  let at = wholeAt;
  while (at < digitsEnd && (bytes[at] === ZERO || bytes[at] === POINT)) at += 1;
  return at;
}

/**
 * Returns the last digit that is not zero: zeros after it do not decide whether a number is whole.
 */
function lastNonZero({ wholeAt, digitsEnd }: NumberText, bytes: Uint8Array): number {
  let at = digitsEnd - 1;
  while (at > wholeAt && (bytes[at] === ZERO || bytes[at] === POINT)) at -= 1;
  return at;
}

/** Returns the power of ten of the digit at `at`: 0 for ones, -1 for tenths. */
function exponentOf({ wholeEnd, exponent }: NumberText, at: number): number {
  return exponent + (at < wholeEnd ? wholeEnd - 1 - at : wholeEnd - at);
}

/**
 * Reads up to twenty digits in three parts of 32 bits, which the processor can work on at once, and
 * joins them without loss: the first two stay below 2^50, the scale of the third below 2^17, and no
 * product reaches 2^53. Avoids `%`, which is slow beyond 32 bits.
 *
 *     184467 440737095 51615
 *     ^from  ^middle   ^tail
 */
function readDigits(number: NumberText, bytes: Uint8Array, from: number, end: number): boolean {
  if (end - from <= INT32_DIGITS) {
    number.high = 0;
    number.low = readInt32(bytes, from, end);
    return true;
  }
  const tailAt = Math.min(end, from + DOUBLE_DIGITS);
  const middleAt = Math.max(from, tailAt - INT32_DIGITS);
  const head = readInt32(bytes, from, middleAt) * 1e9 + readInt32(bytes, middleAt, tailAt);
  const scale = TAIL_SCALES[end - tailAt]!;
  const headHigh = Math.floor(head / 2 ** 32);
  const low = (head - headHigh * 2 ** 32) * scale + readInt32(bytes, tailAt, end);
  const carry = Math.floor(low / 2 ** 32);
  number.high = headHigh * scale + carry;
  number.low = low - carry * 2 ** 32;
  return number.high < 2 ** 32;
}

/** Reads at most nine digits. */
function readInt32(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) value = (value * 10 + bytes[at]! - ZERO) | 0;
  return value;
}
