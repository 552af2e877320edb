import { expect, test } from "bun:test";
import { Histogram } from "../../../src/application/receiving/histogram.ts";
import { AssertionError } from "../../../src/domain/assert.ts";

test.each([
  { name: "below all bounds", value: 0.5, counts: [1, 0, 0, 0] },
  { name: "at a bound, which belongs below", value: 10, counts: [0, 1, 0, 0] },
  { name: "just above a bound", value: 10.01, counts: [0, 0, 1, 0] },
  { name: "above all bounds", value: 1e9, counts: [0, 0, 0, 1] },
])("a value $name is counted in its place", ({ value, counts }) => {
  const histogram = new Histogram([1, 10, 100]);

  histogram.observe(value);

  expect([...histogram.counts]).toEqual([...counts]);
  expect(histogram.sum).toBe(value);
});

test("the counts add up to the observations, and the sum to their values", () => {
  const histogram = new Histogram([3, 6]);

  for (let value = 0; value < 10; value += 1) histogram.observe(value);

  expect([...histogram.counts]).toEqual([4, 3, 3]);
  expect(histogram.sum).toBe(45);
});

test.each([
  { name: "fall", bounds: [2, 1] },
  { name: "stay", bounds: [1, 1] },
])("bounds that $name are a fault", ({ bounds }) => {
  expect(() => new Histogram(bounds)).toThrow(AssertionError);
});
