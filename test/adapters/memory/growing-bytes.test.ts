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

test("released memory is gone, and appending starts anew", () => {
  const gathered = new GrowingBytes();
  gathered.append(new Uint8Array(50_000));
  const view = gathered.bytes;

  gathered.release();
  gathered.append(Uint8Array.of(7));

  expect(view).toHaveLength(0);
  expect([...gathered.bytes]).toEqual([7]);
});
