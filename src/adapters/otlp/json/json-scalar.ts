import type { ScalarKind } from "./json-shape.ts";

/** The JSON of a scalar field's value: the bytes from `at` up to `end`, without tag and length. */
type ScalarText = (bytes: Buffer, at: number, end: number) => string;

/** Source: proto3 JSON mapping, and the OTLP specification for identifiers. */
export const SCALAR_TEXT: Readonly<Record<ScalarKind, ScalarText>> = {
  // What is not UTF-8 becomes U+FFFD: a sender's broken string must not break the answer.
  string: (bytes, at, end) => JSON.stringify(bytes.toString("utf8", at, end)),
  hex: (bytes, at, end) => `"${bytes.toString("hex", at, end)}"`,
  base64: (bytes, at, end) => `"${bytes.toString("base64", at, end)}"`,
  bool: (bytes, at, end) => (varint64(bytes, at, end) === 0n ? "false" : "true"),
  double: (bytes, at) => doubleText(bytes.readDoubleLE(at)),
  int32: (bytes, at, end) => String(BigInt.asIntN(32, varint64(bytes, at, end))),
  uint32: (bytes, at, end) => String(BigInt.asUintN(32, varint64(bytes, at, end))),
  // A JSON number would be rounded by most readers, hence the quotes.
  int64: (bytes, at, end) => `"${BigInt.asIntN(64, varint64(bytes, at, end))}"`,
  fixed32: (bytes, at) => String(bytes.readUInt32LE(at)),
  fixed64: (bytes, at) => `"${bytes.readBigUInt64LE(at)}"`,
};

/** What a field at its default value would read; outside a oneof it is left out. */
export const DEFAULT_TEXT: Readonly<Record<ScalarKind, string>> = {
  string: '""',
  hex: '""',
  base64: '""',
  bool: "false",
  double: "0",
  int32: "0",
  uint32: "0",
  int64: '"0"',
  fixed32: "0",
  fixed64: '"0"',
};

function varint64(bytes: Buffer, at: number, end: number): bigint {
  let value = 0n;
  for (let index = end - 1; index >= at; index -= 1) {
    value = (value << 7n) | BigInt((bytes[index] ?? 0) & 0x7f);
  }
  return value;
}

/** JSON has no word for three doubles, and `JSON.stringify` drops the sign of zero. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}
