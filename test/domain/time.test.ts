import { expect, test } from "bun:test";
import { timerMs } from "../../src/domain/time.ts";

test.each([
  { durationMs: 0, timer: 0 },
  { durationMs: 12.5, timer: 12.5 },
  { durationMs: -0.001, timer: 0 },
  { durationMs: Number.NEGATIVE_INFINITY, timer: 0 },
  { durationMs: Number.NaN, timer: 0 },
  { durationMs: 2 ** 31 - 1, timer: 2 ** 31 - 1 },
  { durationMs: 2 ** 31, timer: 2 ** 31 - 1 },
  { durationMs: Number.POSITIVE_INFINITY, timer: 2 ** 31 - 1 },
])("a delay of $durationMs ms is limited to $timer ms for a timer", ({ durationMs, timer }) => {
  expect(timerMs(durationMs)).toBe(timer);
});
