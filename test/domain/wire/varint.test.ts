import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  varintSize,
  varintValue,
  varintWidth,
  writeVarint,
} from "../../../src/domain/wire/varint.ts";
import { varint, wideVarint } from "../../support/requests/wire-bytes.ts";

const NO_VARINT = 0;

function widthOf(bytes: readonly number[]): number {
  return varintWidth(Uint8Array.from(bytes), 0, bytes.length);
}

test.each(Array.from({ length: 10 }, (_, index) => index + 1))(
  "the largest value of %i bytes, and the smallest, are that wide",
  (width) => {
    const largest = width === 10 ? 2n ** 64n - 1n : 2n ** BigInt(7 * width) - 1n;
    const smallest = width === 1 ? 0n : 2n ** BigInt(7 * (width - 1));

    expect(widthOf(varint(largest))).toBe(width);
    expect(widthOf(varint(smallest))).toBe(width);
  },
);

test.each([
  { name: "nothing at all", bytes: [] },
  { name: "one byte that announces another", bytes: [0x80] },
  { name: "two bytes that announce a third", bytes: [0xff, 0x80] },
  { name: "nine bytes that announce a tenth", bytes: Array<number>(9).fill(0x80) },
  { name: "eleven bytes, the last one empty", bytes: [...Array<number>(10).fill(0x80), 0] },
  { name: "2^64, one bit too many in the tenth byte", bytes: [...Array<number>(9).fill(0x80), 2] },
  { name: "all of the tenth byte's bits", bytes: [...Array<number>(9).fill(0xff), 0x7f] },
])("$name is no varint", ({ bytes }) => {
  expect(widthOf(bytes)).toBe(NO_VARINT);
});

test("a varint ends within its message, even if the bytes after it would complete it", () => {
  const bytes = Uint8Array.of(0x80, 0x80, 0x01);

  expect([0, 1, 2, 3].map((end) => varintWidth(bytes, 0, end))).toEqual([0, 0, 0, 3]);
  expect(varintWidth(bytes, 3, 3)).toBe(NO_VARINT);
});

test.each(Array.from({ length: 10 }, (_, index) => index + 1))(
  "a small value in %i bytes is that value",
  (width) => {
    const bytes = Uint8Array.from([0xee, ...wideVarint(5, width), 0xee]);

    expect(varintWidth(bytes, 1, bytes.length)).toBe(width);
    expect(varintValue(bytes, 1, width)).toBe(5);
  },
);

test("every value below 2^53 is read exactly", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 10 }), (value, width) => {
      const bytes = Uint8Array.from(wideVarint(value, width));

      expect(varintWidth(bytes, 0, bytes.length)).toBe(bytes.length);
      expect(varintValue(bytes, 0, bytes.length)).toBe(value);
    }),
  );
});

test("a value beyond 2^53 is read as larger than any length there can be", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
      const bytes = Uint8Array.from(varint(value));

      expect(varintValue(bytes, 0, bytes.length)).toBeGreaterThanOrEqual(2 ** 53);
    }),
  );
});

test.each(
  [7, 14, 21, 28, 32].flatMap((bits) => [{ value: 2 ** bits - 1 }, { value: 2 ** bits % 2 ** 32 }]),
)("$value is written in as many bytes as its size says, and in the shortest form", ({ value }) => {
  const bytes = new Uint8Array(7).fill(0xee);

  const next = writeVarint(bytes, 1, value);

  expect(Array.from(bytes.subarray(1, next))).toEqual(varint(value));
  expect(next - 1).toBe(varintSize(value));
  expect(bytes[0]).toBe(0xee);
  expect(bytes[next]).toBe(0xee);
});
