import { expect, test } from "bun:test";
import {
  ageText,
  amountText,
  bytesText,
  clockText,
  COLOUR_COUNT,
  colourOf,
  countText,
  durationText,
  indentedText,
  momentText,
  percentText,
  rateText,
} from "../../../src/page/model/format.ts";

test.each([
  [null, "unknown"],
  [0, "0 ns"],
  [999, "999 ns"],
  [1500, "1.5 µs"],
  [12_345_678, "12.3 ms"],
  [61_000_000_000, "61 s"],
  [-2_000_000, "-2 ms"],
])("a duration of %p ns is written %s", (nanos, text) => {
  expect(durationText(nanos)).toBe(text);
});

test("a time has milliseconds, and may be unknown", () => {
  expect(clockText(1_700_000_000_007_000_000n)).toMatch(/^\d\d:\d\d:20\.007$/);
  expect(clockText(null)).toBe("unknown");
});

test.each([
  [7, "7"],
  [1000, "1\u202F000"],
  [1_234_567, "1\u202F234\u202F567"],
])("%d is written in groups of three digits", (count, text) => {
  expect(countText(count)).toBe(text);
});

test("an amount of one is singular", () => {
  expect([1, 2].map((count) => amountText(count, "span"))).toEqual(["1 span", "2 spans"]);
});

test.each([
  [0, "0 B"],
  [1023, "1020 B"],
  [64 * 1024 * 1024, "64 MiB"],
  [3 * 1024 ** 4, "3070 GiB"],
])("%d bytes are written %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0, "0 %"],
  [0.0001, "< 0.1 %"],
  [0.0123, "1.2 %"],
  [0.5, "50 %"],
  [0.999, "99 %"],
  [1, "100 %"],
])("a share of %d is written %s", (share, text) => {
  expect(percentText(share)).toBe(text);
});

test.each([
  [null, "unknown"],
  [0, "0/s"],
  [0.25, "0.25/s"],
  [12.345, "12.3/s"],
  [1234.5, "1\u202F235/s"],
])("a rate of %p is written %s", (perSecond, text) => {
  expect(rateText(perSecond)).toBe(text);
});

test.each([
  [-1, "0 s"],
  [0.4, "0 s"],
  [59.4, "59 s"],
  [60, "1 min"],
  [200, "3 min 20 s"],
  [7265, "2 h 1 min"],
  [187_200, "2 d 4 h"],
])("%d seconds are written %s", (seconds, text) => {
  expect(ageText(seconds)).toBe(text);
});

test("a moment has a date unless it is today, and may be unknown", () => {
  const now = new Date(2026, 10, 29, 12);
  const early = new Date(2026, 10, 29, 0, 5, 7).toISOString();
  const before = new Date(2026, 8, 3, 23, 59, 59, 999).toISOString();

  expect(momentText(early, now)).toBe("00:05:07");
  expect(momentText(before, now)).toBe("2026-09-03 23:59:59");
  expect(momentText(null, now)).toBe("unknown");
});

test("services get all the colours, and always their own", () => {
  const names = Array.from({ length: 400 }, (_, number) => `service-${number}`);
  const colours = names.map(colourOf);

  expect([...new Set(colours)].toSorted((a, b) => a - b)).toEqual([...Array(COLOUR_COUNT).keys()]);
  expect(names.map(colourOf)).toEqual(colours);
});

test.each([
  ['{"a":1}', '{\n  "a": 1\n}'],
  ["[1]", "[\n  1\n]"],
  ["{a: 1}", "{a: 1}"],
  ['{"id":12345678901234567890}', '{"id":12345678901234567890}'],
  ["12", "12"],
  ["text", "text"],
])("%p is written %p", (text, written) => {
  expect(indentedText(text)).toBe(written);
});
