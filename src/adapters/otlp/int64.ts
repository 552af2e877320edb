/**
 * 64-bit integers between `bigint`, as the domain has them, and the two halves that protobufjs
 * reads and writes. Bits beyond 64 fall away, as they would in any 64-bit language.
 */
import type { Int64 } from "./generated/otlp.js";

export function toInt64(value: bigint): Int64 {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return { low, high, unsigned: false };
}

export function fromInt64({ low, high }: Int64): bigint {
  return (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
}

/** For `fixed64`, such as a time. */
export function fromUint64(value: Int64): bigint {
  return BigInt.asUintN(64, fromInt64(value));
}
