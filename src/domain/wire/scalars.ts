/**
 * Varints of base 128: seven bits per byte, lowest bits first, with the top bit set on all but the
 * last byte.
 *
 *     300 = 0b10_0101100      [ 1 0101100 ][ 0 0000010 ]
 *
 * Source: protobuf encoding, "Base 128 Varints".
 */

/** A 64-bit value needs ten bytes; the tenth holds only its highest bit. */
const MAX_VARINT_BYTES = 10;

/**
 * Returns the number of bytes of the varint at `at`, or 0 if it is invalid: cut off by `end`,
 * longer than ten bytes, or too large for 64 bits.
 */
export function varintWidth(bytes: Uint8Array, at: number, end: number): number {
  // Nearly every varint of a trace has one or two bytes; the loop handles longer ones.
  if (at < end && bytes[at]! < 0x80) return 1;
  if (at + 1 < end && bytes[at + 1]! < 0x80) return 2;
  const last = Math.min(end, at + MAX_VARINT_BYTES);
  for (let next = at + 2; next < last; next += 1) {
    if (bytes[next]! < 0x80) return fits(bytes, at, next + 1 - at);
  }
  return 0;
}

function fits(bytes: Uint8Array, at: number, width: number): number {
  return width < MAX_VARINT_BYTES || bytes[at + 9]! <= 1 ? width : 0;
}

/**
 * Returns the value of a varint of known width. It is exact below 2^53. A larger value is only
 * known to exceed any possible length, which is enough for a bounds check.
 */
export function varintValue(bytes: Uint8Array, at: number, width: number): number {
  if (width === 1) return bytes[at]!;
  if (width === 2) return (bytes[at]! & 0x7f) | (bytes[at + 1]! << 7);
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) {
    value = value * 128 + (bytes[at + index]! & 0x7f);
  }
  return value;
}

/** Returns the size of the shortest varint for a length below 2^32. */
export function varintSize(value: number): number {
  if (value < 2 ** 7) return 1;
  if (value < 2 ** 14) return 2;
  if (value < 2 ** 21) return 3;
  return value < 2 ** 28 ? 4 : 5;
}

/** Writes the shortest varint for a length below 2^32; returns the position after it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest >= 0x80; next += 1) {
    into[next] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  into[next] = rest;
  return next + 1;
}

/** Reads and compares encoded scalars without allocating an object or a bigint for each. */

/**
 * A 64-bit number in two halves, because a bigint is an allocation and a span has two times. The
 * halves of a negative or enormous bigint order it below or above all 64-bit values.
 */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

export function halvesOf(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) };
}

/** Reads a little-endian 32-bit number; all fixed-width numbers of protobuf are little-endian. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

export function uint64At(bytes: Uint8Array, at: number): bigint {
  return (BigInt(uint32At(bytes, at + 4)) << 32n) | BigInt(uint32At(bytes, at));
}

const doubleBytes = new Uint8Array(8);
const double = new Float64Array(doubleBytes.buffer);

/**
 * Reads a double. It copies the bytes to an aligned array, because the bytes of a span are rarely
 * aligned.
 */
export function doubleAt(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < 8; index += 1) doubleBytes[index] = bytes[at + index]!;
  return double[0]!;
}

/** Reads an int32 or an enum. Bits beyond 32 are ignored, as in any decoder. */
export function int32Varint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = 0; at + index < end && index < 5; index += 1) {
    value |= (bytes[at + index]! & 0x7f) << (7 * index);
  }
  return value;
}

/** Reads an int64 as a double, rounded to the nearest beyond 2^53. */
export function int64Varint(bytes: Uint8Array, at: number, end: number): number {
  const low = int32Varint(bytes, at, end) >>> 0;
  return upperHalfVarint(bytes, at, end) * 2 ** 32 + low;
}

/** Reads the upper 32 bits of an int64; `int32Varint` reads the others. */
export function upperHalfVarint(bytes: Uint8Array, at: number, end: number): number {
  let high = at + 4 < end ? (bytes[at + 4]! & 0x7f) >>> 4 : 0;
  for (let index = 5; at + index < end && index < 10; index += 1) {
    high |= (bytes[at + index]! & 0x7f) << (7 * index - 32);
  }
  return high;
}

/** Reports whether any bit of a bool is set. */
export function isTrueVarint(bytes: Uint8Array, at: number, end: number): boolean {
  for (let index = at; index < end; index += 1) {
    if ((bytes[index]! & 0x7f) !== 0) return true;
  }
  return false;
}

/** Returns the 7-bit groups of the shortest varint of this value, lowest first. */
export function varintGroups(value: bigint): Uint8Array {
  const groups: number[] = [];
  for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 7n) {
    groups.push(Number(rest & 0x7fn));
  }
  return Uint8Array.from(groups);
}

/** Reports whether a varint, of any width, has the value of these groups. */
export function hasGroups(bytes: Uint8Array, at: number, end: number, groups: Uint8Array): boolean {
  const width = end - at;
  if (width < groups.length) return false;
  for (let index = 0; index < width; index += 1) {
    const wanted = index < groups.length ? groups[index] : 0;
    if ((bytes[at + index]! & 0x7f) !== wanted) return false;
  }
  return true;
}

/**
 * Reports whether the bytes from `start` to `end` equal `wanted`. It compares from the end, because
 * the names, keys and identifiers of one sender tend to start alike and end differently.
 */
export function isSame(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let index = wanted.length - 1; index >= 0; index -= 1) {
    if (bytes[start + index] !== wanted[index]) return false;
  }
  return true;
}

/** Decodes invalid UTF-8 as U+FFFD, and preserves a byte order mark. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function textBetween(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}
