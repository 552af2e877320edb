import { expect, test } from "bun:test";
import { readDuration, readInstant } from "../../../src/domain/query/time-text.ts";

test.each([
  { text: "1ns", nanoseconds: 1n },
  { text: "1us", nanoseconds: 1_000n },
  { text: "250ms", nanoseconds: 250_000_000n },
  { text: "1.5s", nanoseconds: 1_500_000_000n },
  { text: "10s", nanoseconds: 10_000_000_000n },
  { text: "5m", nanoseconds: 300_000_000_000n },
  { text: "2h", nanoseconds: 7_200_000_000_000n },
  { text: "0s", nanoseconds: 0n },
  { text: "0.25h", nanoseconds: 900_000_000_000n },
  { text: "0.000000001s", nanoseconds: 1n },
  { text: "0.9ns", nanoseconds: 0n },
  { text: "00010ms", nanoseconds: 10_000_000n },
  { text: "999999999999999h", nanoseconds: 999_999_999_999_999n * 3_600_000_000_000n },
])("$text lasts $nanoseconds ns", ({ text, nanoseconds }) => {
  expect(readDuration(text)).toBe(nanoseconds);
});

test.each([
  "",
  "5",
  "s",
  "-1s",
  "+1s",
  "1 s",
  " 1s",
  "1s ",
  "1S",
  "1sec",
  "1d",
  "1.s",
  ".5s",
  "1.5.1s",
  "1,5s",
  "1e3s",
  "1m30s",
  "0x1s",
  "1s\n",
  "1000000000000000s",
  "0.0000000000000001s",
])("%j is not a duration", (text) => {
  expect(readDuration(text)).toBeUndefined();
});

const NOW = 1_700_000_000_000_000_000n;

test.each([
  { text: "1970-01-01T00:00:00Z", unixNano: 0n },
  { text: "2023-11-14T22:13:20Z", unixNano: NOW },
  { text: "2023-11-14t22:13:20z", unixNano: NOW },
  { text: "2023-11-14 22:13:20Z", unixNano: NOW },
  { text: "2023-11-15T00:13:20+02:00", unixNano: NOW },
  { text: "2023-11-14T16:43:20-05:30", unixNano: NOW },
  { text: "2023-11-14T22:13:20.5Z", unixNano: NOW + 500_000_000n },
  { text: "2023-11-14T22:13:20.000000001Z", unixNano: NOW + 1n },
  { text: "2023-11-14T22:13:20.0000000019Z", unixNano: NOW + 1n },
  { text: "2024-02-29T00:00:00Z", unixNano: 1_709_164_800_000_000_000n },
  { text: "1969-12-31T23:59:59.9Z", unixNano: -100_000_000n },
  { text: "9999-12-31T23:59:59Z", unixNano: 253_402_300_799_000_000_000n },
  { text: "2023-11-14", unixNano: 1_699_920_000_000_000_000n },
  { text: "1700000000", unixNano: NOW },
  { text: "1700000000.5", unixNano: NOW + 500_000_000n },
  { text: "1700000000.000000001", unixNano: NOW + 1n },
  { text: "1700000000001", unixNano: NOW + 1_000_000n },
  { text: "1700000000000001", unixNano: NOW + 1_000n },
  { text: "1700000000000000001", unixNano: NOW + 1n },
  { text: "1000000000", unixNano: 1_000_000_000n * 1_000_000_000n },
  { text: "9999999999", unixNano: 9_999_999_999n * 1_000_000_000n },
  { text: "0", unixNano: 0n },
  { text: "5m", unixNano: NOW - 300_000_000_000n },
  { text: "0s", unixNano: NOW },
  { text: "1000000h", unixNano: NOW - 3_600_000_000_000_000_000n },
])("$text is the time $unixNano", ({ text, unixNano }) => {
  expect(readInstant(text, NOW)).toBe(unixNano);
});

test.each([
  "",
  "now",
  "-5m",
  "-1",
  "1.5",
  "5",
  "20231114",
  "170000000",
  "17000000000",
  "0170000000",
  "170000000000",
  "17000000000000",
  "170000000000000000",
  "17000000000000000000",
  "1700000000.",
  "1700000000.0000000001",
  "1700000000001.5",
  "0.5",
  "00",
  "2023-11-31",
  "2023-11",
  "2023-11-14T22:13:20",
  "2023-11-14T22:13Z",
  "2023-02-29T00:00:00Z",
  "2023-04-31T00:00:00Z",
  "2023-13-01T00:00:00Z",
  "2023-00-10T00:00:00Z",
  "2023-11-14T24:00:00Z",
  "2023-11-14T22:60:20Z",
  "2016-12-31T23:59:60Z",
  "2023-11-14T22:13:20.Z",
  "2023-11-14T22:13:20 02:00",
  "2023-11-14T22:13:20+24:00",
  "2023-11-14T22:13:20+0200",
  "+2023-11-14T22:13:20Z",
  "2023-11-14T22:13:20Z\n",
  "123456789012345678901",
])("%j is not a time", (text) => {
  expect(readInstant(text, NOW)).toBeUndefined();
});
