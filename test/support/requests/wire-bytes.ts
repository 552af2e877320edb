/**
 * Protobuf bytes written by hand, so that tests can show the exact bytes, including invalid ones.
 * Nothing is checked here.
 */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** Returns the same value in `width` bytes, more than necessary; the last ones are empty. */
export function wideVarint(value: number | bigint, width: number): number[] {
  const bytes = varint(value);
  while (bytes.length < width) {
    bytes.push(0);
    bytes[bytes.length - 2]! |= 0x80;
  }
  return bytes;
}

export function tag(fieldNumber: number, wireType: number): number[] {
  return varint(fieldNumber * 8 + wireType);
}

export function varintField(fieldNumber: number, value: number | bigint): number[] {
  return [...tag(fieldNumber, 0), ...varint(value)];
}

export function fixed64Field(fieldNumber: number, value: bigint): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return [...tag(fieldNumber, 1), ...bytes];
}

export function fixed32Field(fieldNumber: number, value: number): number[] {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return [...tag(fieldNumber, 5), ...bytes];
}

/** Returns a field with a length: bytes, a string, or a message given as its parts. */
export function bytesField(fieldNumber: number, ...parts: (number[] | string)[]): number[] {
  const body = parts.flatMap((part) => (typeof part === "string" ? utf8(part) : part));
  return [...tag(fieldNumber, 2), ...varint(body.length), ...body];
}

/** Returns the same field with a wider tag and length than necessary. */
export function wideBytesField(
  fieldNumber: number,
  width: { readonly tag: number; readonly length: number },
  ...parts: number[][]
): number[] {
  const body = parts.flat();
  const head = [
    ...wideVarint(fieldNumber * 8 + 2, width.tag),
    ...wideVarint(body.length, width.length),
  ];
  return [...head, ...body];
}

/** Returns a group, which proto2 had instead of a length, between two tags. */
export function groupField(fieldNumber: number, ...parts: number[][]): number[] {
  return [...tag(fieldNumber, 3), ...parts.flat(), ...tag(fieldNumber, 4)];
}

function utf8(text: string): number[] {
  return Array.from(new TextEncoder().encode(text));
}
