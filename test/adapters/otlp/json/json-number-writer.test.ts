import { expect, test } from "bun:test";
import {
  writeInt32,
  writeInt64,
  writeUint32,
  writeUint64,
  writeWhole,
} from "../../../../src/adapters/otlp/json/json-number-writer.ts";
import {
  createJsonWriter,
  type JsonWriter,
  takeAll,
} from "../../../../src/adapters/otlp/json/json-writer.ts";

function written(write: (writer: JsonWriter) => void): string {
  const writer = createJsonWriter();
  write(writer);
  return Buffer.concat(takeAll(writer)).toString();
}

/** Numbers next to all powers of two and of ten, where digits and halves change. */
const powers = [
  ...Array.from({ length: 65 }, (_, exponent) => 2n ** BigInt(exponent)),
  ...Array.from({ length: 20 }, (_, exponent) => 10n ** BigInt(exponent)),
];
const numbers = [0n, ...powers.flatMap((power) => [power - 1n, power, power + 1n])];
const uint64s = [...numbers, 1_700_000_000_123_456_789n].filter((value) => value < 2n ** 64n);

function halves(value: bigint): [high: number, low: number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
}

test("64-bit numbers are written with all their digits", () => {
  const texts = uint64s.map((value) => written((writer) => writeUint64(writer, ...halves(value))));

  expect(texts).toEqual(uint64s.map(String));
});

test("signed 64-bit numbers are written with their sign", () => {
  const int64s = uint64s
    .flatMap((value) => [value, -value])
    .map((value) => BigInt.asIntN(64, value));

  const texts = int64s.map((value) => written((writer) => writeInt64(writer, ...halves(value))));

  expect(texts).toEqual(int64s.map(String));
});

test("32-bit numbers are written with and without a sign", () => {
  const uint32s = uint64s.filter((value) => value < 2n ** 32n).map(Number);
  const int32s = uint32s.map((value) => value | 0);

  expect(uint32s.map((value) => written((writer) => writeUint32(writer, value)))).toEqual(
    uint32s.map(String),
  );
  expect(int32s.map((value) => written((writer) => writeInt32(writer, value)))).toEqual(
    int32s.map(String),
  );
});

test("whole numbers are written up to the largest that is exact", () => {
  const wholes = uint64s.filter((value) => value < 2n ** 53n).map(Number);

  expect(wholes.map((value) => written((writer) => writeWhole(writer, value)))).toEqual(
    wholes.map(String),
  );
});
