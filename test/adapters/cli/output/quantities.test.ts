import { expect, test } from "bun:test";
import {
  bytesText,
  clockText,
  countedText,
  countText,
  dateText,
  durationText,
  percentText,
} from "../../../../src/adapters/cli/output/quantities.ts";

test.each([
  [0n, "0 ns"],
  [999n, "999 ns"],
  [1_000n, "1.00 µs"],
  [12_340n, "12.3 µs"],
  [999_499n, "999 µs"],
  [999_500n, "1.00 ms"],
  [9_994_999n, "9.99 ms"],
  [9_995_000n, "10.0 ms"],
  [99_949_000n, "99.9 ms"],
  [99_950_000n, "100 ms"],
  [1_234_567_890n, "1.23 s"],
  [59_900_000_000n, "59.9 s"],
  [60_000_000_000n, "1 m 00 s"],
  [3_599_600_000_000n, "1 h 00 m"],
  [3_600_000_000_000n, "1 h 00 m"],
  [100_000_000_000_000n, "27 h 46 m"],
  [-5_000_000n, "-5.00 ms"],
  [2n ** 64n, "5,124,095 h 34 m"],
])("%p nanoseconds are displayed as %s", (nanos, text) => {
  expect(durationText(nanos)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "0.98 KiB"],
  [4_404_019, "4.20 MiB"],
  [67_108_864, "64.0 MiB"],
  [2 ** 50 * 5, "5120 TiB"],
])("%p bytes are displayed as %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test("counts have thousands separators, and nouns agree in number", () => {
  expect(countText(1_234_567)).toBe("1,234,567");
  expect(countedText(1, "span")).toBe("1 span");
  expect(countedText(0, "span")).toBe("0 spans");
});

test.each([
  [1, 3, "33.3 %"],
  [5, 5, "100.0 %"],
  [0, 0, "0.0 %"],
])("%p of %p is displayed as %s", (part, whole, text) => {
  expect(percentText(part, whole)).toBe(text);
});

test("times are displayed in the local time zone, with milliseconds", () => {
  const local = new Date(2025, 6, 20, 8, 5, 4, 12);
  const nanos = BigInt(local.getTime()) * 1_000_000n;

  expect(clockText(nanos)).toBe("08:05:04.012");
  expect(dateText(nanos)).toBe("2025-07-20 08:05:04.012");
});

test("an undefined time is displayed as unknown", () => {
  expect([durationText(undefined), clockText(undefined), dateText(undefined)]).toEqual([
    "unknown",
    "unknown",
    "unknown",
  ]);
});

test("an invalid time is displayed without an exception", () => {
  expect(clockText(2n ** 64n * 1_000_000n)).toBe("--:--:--.---");
  expect(dateText(2n ** 64n * 1_000_000n)).toBe("invalid time");
});
