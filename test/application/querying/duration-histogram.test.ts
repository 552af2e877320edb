import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  addDuration,
  createHistogram,
  percentile,
} from "../../../src/application/querying/duration-histogram.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";

function histogramOf(durations: readonly number[]) {
  const histogram = createHistogram();
  for (const duration of durations) addDuration(histogram, duration);
  return histogram;
}

test("no durations have no percentile", () => {
  expect(percentile(createHistogram(), 0.5)).toBeUndefined();
});

test.each([0, 1, 31, 32, 63, 64, 1_000_003, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 64 - 2 ** 11])(
  "a single duration of %d is every percentile",
  (duration) => {
    const histogram = histogramOf([duration]);

    expect([0, 0.5, 1].map((share) => percentile(histogram, share))).toEqual(
      Array(3).fill(duration),
    );
  },
);

test("durations below 64 ns are counted exactly", () => {
  const histogram = histogramOf(Array.from({ length: 64 }, (_, duration) => duration));

  const shares = Array.from({ length: 64 }, (_, index) => (index + 1) / 64);

  expect(shares.map((share) => percentile(histogram, share))).toEqual(
    shares.map((_, duration) => duration),
  );
});

// Goal: a percentile is within 1.6 % of the one of a sorted list (nearest rank).
test("percentiles are within 1.6 % of those of a sorted list", () => {
  const duration = fc.oneof(fc.nat(100), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
  const durations = fc.array(duration, { minLength: 1, maxLength: 200 });
  const share = fc.constantFrom(0, 0.01, 0.5, 0.95, 0.99, 1);
  const property = fc.property(durations, share, (list, wanted) => {
    const sorted = list.toSorted((a, b) => a - b);
    const exact = sorted[Math.max(1, Math.ceil(wanted * list.length)) - 1]!;

    const found = percentile(histogramOf(list), wanted)!;

    expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.016);
  });

  fc.assert(property, { numRuns: fuzzRuns(2_000) });
});
