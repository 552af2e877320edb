import * as fc from "fast-check";
import { expect, test } from "bun:test";
import {
  varintSize,
  varintValue,
  varintWidth,
  writeVarint,
  doubleAt,
  halvesOf,
  hasGroups,
  int32Varint,
  int64Varint,
  isSame,
  isTrueVarint,
  textBetween,
  uint32At,
  uint64At,
  varintGroups,
} from "../../../src/domain/wire/scalars.ts";
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
  { name: "an empty message", bytes: [] },
  { name: "one byte that requires another", bytes: [0x80] },
  { name: "two bytes that require a third", bytes: [0xff, 0x80] },
  { name: "nine bytes that require a tenth", bytes: Array<number>(9).fill(0x80) },
  { name: "eleven bytes, the last one empty", bytes: [...Array<number>(10).fill(0x80), 0] },
  { name: "2^64, one bit too many in the tenth byte", bytes: [...Array<number>(9).fill(0x80), 2] },
  { name: "all of the tenth byte's bits", bytes: [...Array<number>(9).fill(0xff), 0x7f] },
])("$name is not a varint", ({ bytes }) => {
  expect(widthOf(bytes)).toBe(NO_VARINT);
});

test("a varint that ends after its message is refused", () => {
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

test("a value beyond 2^53 is read as larger than any possible length", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
      const bytes = Uint8Array.from(varint(value));

      expect(varintValue(bytes, 0, bytes.length)).toBeGreaterThanOrEqual(2 ** 53);
    }),
  );
});

test.each(
  [7, 14, 21, 28, 32].flatMap((bits) => [{ value: 2 ** bits - 1 }, { value: 2 ** bits % 2 ** 32 }]),
)("$value is written in its shortest form, with the computed size", ({ value }) => {
  const bytes = new Uint8Array(7).fill(0xee);

  const next = writeVarint(bytes, 1, value);

  expect(Array.from(bytes.subarray(1, next))).toEqual(varint(value));
  expect(next - 1).toBe(varintSize(value));
  expect(bytes[0]).toBe(0xee);
  expect(bytes[next]).toBe(0xee);
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

test("fixed numbers are little endian, unsigned, and read at any offset", () => {
  const bytes = Uint8Array.of(0xee, 1, 2, 3, 0xff, 5, 6, 7, 0xf8);

  expect(uint32At(bytes, 1)).toBe(0xff03_0201);
  expect(uint64At(bytes, 1)).toBe(0xf807_0605_ff03_0201n);
});

test.each([0, -0, 0.1, -1.5, 1e308, Number.NaN, Number.NEGATIVE_INFINITY])(
  "the double %p is read as it was written",
  (value) => {
    const bytes = new Uint8Array(10);
    new DataView(bytes.buffer).setFloat64(1, value, true);

    expect(doubleAt(bytes, 1)).toBe(value);
  },
);

test.each([
  { value: 0n, halves: { high: 0, low: 0 } },
  { value: 2n ** 32n - 1n, halves: { high: 0, low: 0xffff_ffff } },
  { value: 2n ** 32n, halves: { high: 1, low: 0 } },
  { value: 2n ** 64n, halves: { high: 2 ** 32, low: 0 } },
  { value: -1n, halves: { high: -1, low: 0xffff_ffff } },
])("$value has the halves $halves", ({ value, halves }) => {
  expect(halvesOf(value)).toEqual(halves);
});

test.each([
  { name: "one byte", bytes: varint(2), value: 2 },
  { name: "two bytes", bytes: varint(300), value: 300 },
  { name: "ten bytes, five of which count", bytes: wideVarint(2, 10), value: 2 },
  { name: "a negative number", bytes: varint(-1n), value: -1 },
  { name: "the largest", bytes: varint(2 ** 31 - 1), value: 2 ** 31 - 1 },
  { name: "bits beyond 32, which do not count", bytes: varint(2n ** 32n + 7n), value: 7 },
])("an int32 of $name is read as by other decoders", ({ bytes, value }) => {
  const within = Uint8Array.from([0xff, ...bytes, 0xff]);

  expect(int32Varint(within, 1, 1 + bytes.length)).toBe(value);
});

test.each([
  { bytes: varint(0), isTrue: false },
  { bytes: wideVarint(0, 10), isTrue: false },
  { bytes: varint(1), isTrue: true },
  { bytes: varint(2n ** 63n), isTrue: true },
])("a bool of the bytes $bytes is $isTrue", ({ bytes, isTrue }) => {
  const within = Uint8Array.from([...bytes, 1]);

  expect(isTrueVarint(within, 0, bytes.length)).toBe(isTrue);
});

test("a varint equals its own value only, in any width", () => {
  const values = [0n, 1n, 127n, 128n, -1n, 2n ** 63n - 1n, -(2n ** 63n)];

  for (const value of values) {
    const width = varint(value).length;
    const wide = Uint8Array.from([...wideVarint(value, Math.min(10, width + 2)), 0x7f]);
    const equal = values.filter((each) => hasGroups(wide, 0, wide.length - 1, varintGroups(each)));
    expect(equal).toEqual([value]);
  }
});

test("byte sequences are equal if all bytes are equal and none is missing", () => {
  const wanted = bytesOf("key");
  const holds = (text: string) => isSame(bytesOf(`-${text}`), 1, 1 + text.length, wanted);

  expect(["key", "kez", "Key", "ke", "keys", ""].filter(holds)).toEqual(["key"]);
  expect(isSame(bytesOf("keys"), 0, 3, wanted)).toBe(true);
  expect(isSame(wanted, 1, 1, new Uint8Array(0))).toBe(true);
});

test("text is decoded from shared memory, with U+FFFD for invalid UTF-8", () => {
  const text = [0xef, 0xbb, 0xbf, 0xc3, 0xbc, 0xff, 0x61];
  const shared = new Uint8Array(new SharedArrayBuffer(16));
  shared.set(text, 3);

  expect(textBetween(shared, 3, 3 + text.length)).toBe("\ufeffü\ufffda");
});

test("an int64 is read as the nearest double", () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(int64, (value) => {
      const bytes = Uint8Array.from(varint(BigInt.asUintN(64, value)));

      expect(int64Varint(bytes, 0, bytes.length)).toBe(Number(value));
    }),
    { examples: [[0n], [-1n], [2n ** 53n - 1n], [2n ** 63n - 1n], [-(2n ** 63n)]] },
  );
});
