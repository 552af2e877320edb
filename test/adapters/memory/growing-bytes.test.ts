import { expect, test } from "bun:test";
import { GrowingBytes } from "../../../src/adapters/memory/growing-bytes.ts";

const pieces = [3, 0, 1, 20_000, 5, 70_000, 1].map((length, at) =>
  new Uint8Array(length).fill(at + 1),
);

test("appended pieces are joined in order", () => {
  const gathered = new GrowingBytes();

  for (const piece of pieces) gathered.append(piece);

  expect(gathered.length).toBe(90_010);
  expect(Buffer.from(gathered.bytes)).toEqual(Buffer.concat(pieces));
});

test("appended pieces are copied", () => {
  const gathered = new GrowingBytes();
  const piece = Uint8Array.of(1, 2, 3);

  gathered.append(piece);
  piece.fill(9);

  expect([...gathered.bytes]).toEqual([1, 2, 3]);
});

test("the reported growth equals the capacity, which stays close to the length", () => {
  const gathered = new GrowingBytes();
  let capacity = 0;

  for (let byte = 0; byte < 100_000; byte += 1) {
    capacity += gathered.append(Uint8Array.of(byte));
    if (byte % 1000 === 0) expect(capacity).toBeLessThan(1.25 * gathered.length + 16_400);
  }

  expect(capacity).toBe(gathered.bytes.buffer.byteLength);
  expect(gathered.bytes.at(-1)).toBe(99_999 & 0xff);
});

test("reserved room is exact, is reported, and takes pieces without growing", () => {
  const gathered = new GrowingBytes();
  gathered.append(Uint8Array.of(1));

  const grownBytes = gathered.reserve(50_000);
  const again = [gathered.reserve(50_000), gathered.append(new Uint8Array(49_999).fill(2))];
  const beyond = gathered.append(Uint8Array.of(3));

  expect(gathered.bytes.buffer.byteLength).toBe(Math.ceil(50_001 * 1.25) + 16_384);
  expect([grownBytes, again]).toEqual([50_000 - (2 + 16_384), [0, 0]]);
  expect(beyond).toBe(gathered.bytes.buffer.byteLength - 50_000);
  expect([gathered.length, gathered.bytes[0], gathered.bytes.at(-1)]).toEqual([50_001, 1, 3]);
});

test("released memory is gone, and appending starts anew", () => {
  const gathered = new GrowingBytes();
  gathered.append(new Uint8Array(50_000));
  const view = gathered.bytes;

  gathered.release();
  gathered.append(Uint8Array.of(7));

  expect(view).toHaveLength(0);
  expect([...gathered.bytes]).toEqual([7]);
});
