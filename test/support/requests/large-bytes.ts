import { tag, varint } from "./wire-bytes.ts";

/** Bytes too large to build as arrays of numbers. */

/** Returns the bytes, repeated. */
export function repeated(bytes: readonly number[], times: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.alloc(bytes.length * times, Uint8Array.from(bytes)));
}

/** Returns the same as `bytesField`, for a large body. */
export function largeField(
  fieldNumber: number,
  ...parts: (Uint8Array | number[])[]
): Uint8Array<ArrayBuffer> {
  const body = parts.map((part) => Uint8Array.from(part));
  const length = body.reduce((total, part) => total + part.length, 0);
  return new Uint8Array(
    Buffer.concat([Uint8Array.from([...tag(fieldNumber, 2), ...varint(length)]), ...body]),
  );
}
