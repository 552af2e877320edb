/**
 * Base-128 varints: seven bits a byte, the lowest first, the top bit set on all but the last byte.
 *
 *     300 = 0b10_0101100      [ 1 0101100 ][ 0 0000010 ]
 *
 * Source: protobuf encoding, "Base 128 Varints".
 */

/** A 64-bit value needs ten bytes; the tenth holds its highest bit, and nothing else. */
const MAX_VARINT_BYTES = 10;

/**
 * Returns how many bytes the varint at `at` takes, or 0 for an invalid one: cut off by `end`,
 * longer than ten bytes, or too large for 64 bits.
 */
export function varintWidth(bytes: Uint8Array, at: number, end: number): number {
  // Nearly every varint of a trace has one or two bytes; the loop handles the rest.
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
 * Returns the value of a varint of known width. Exact below 2^53; larger values are only known to
 * exceed any possible length, which is enough for a bounds check.
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
