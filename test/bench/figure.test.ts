import { expect, test } from "bun:test";
import { type Figure, median, percentile, summarise } from "./figure.ts";

test.each<{ name: string; samples: number[]; middle: number }>([
  { name: "one sample", samples: [7], middle: 7 },
  { name: "an odd number of unordered samples", samples: [9, 1, 5], middle: 5 },
  { name: "an even number of samples", samples: [4, 1, 2, 3], middle: 2.5 },
  { name: "samples of different lengths", samples: [10, 9, 100], middle: 10 },
])("the median of $name is $middle", ({ samples, middle }) => {
  const before = [...samples];

  expect(median(samples)).toBe(middle);
  expect(samples).toEqual(before);
});

test.each([
  { share: 0.5, value: 50 },
  { share: 0.95, value: 95 },
  { share: 0.999, value: 100 },
  { share: 1, value: 100 },
  { share: 0, value: 1 },
])("percentile $share of 1 to 100 is $value", ({ share, value }) => {
  const sorted = Float64Array.from({ length: 100 }, (_, at) => at + 1);

  expect(percentile(sorted, share)).toBe(value);
});

const RATE: Figure = { name: "taken in", unit: "spans/s", better: "higher", samples: [30, 10, 20] };
const TIME: Figure = { name: "walk", unit: "ns/span", better: "lower", samples: [30, 10, 20] };
const REFERENCE = { name: "another", samples: [80, 40, 60] };

test("a figure without reference and goal has neither ratio nor verdict", () => {
  expect(summarise(RATE)).toEqual({
    name: "taken in",
    unit: "spans/s",
    median: 20,
    min: 10,
    max: 30,
    samples: [30, 10, 20],
    reference: null,
    ratio: null,
    goal: null,
    verdict: null,
  });
});

test("the ratio of a rate grows with it, and that of a time falls", () => {
  const rate = summarise({ ...RATE, reference: REFERENCE });
  const time = summarise({ ...TIME, reference: REFERENCE });

  expect(rate.reference).toEqual({ name: "another", median: 60 });
  expect(rate.ratio).toBeCloseTo(1 / 3);
  expect(time.ratio).toBe(3);
});

test.each([
  { name: "below", bound: 4, verdict: "missed" },
  { name: "at the bound", bound: 3, verdict: "met" },
  { name: "above", bound: 2, verdict: "met" },
] as const)("a ratio $name is $verdict", ({ bound, verdict }) => {
  const goal = { of: "ratio", is: ">=", bound } as const;

  const summary = summarise({ ...TIME, reference: REFERENCE, goal });

  expect(summary.verdict).toBe(verdict);
  expect(summary.goal).toBe(`ratio >= ${bound}`);
});

test.each([
  { of: "median", is: "<", bound: 20, verdict: "missed" },
  { of: "median", is: "<=", bound: 20, verdict: "met" },
  { of: "max", is: "<=", bound: 20, verdict: "missed" },
  { of: "max", is: "<", bound: 31, verdict: "met" },
] as const)(
  "samples of 10, 20 and 30: $of $is $bound is $verdict",
  ({ of, is, bound, verdict }) => {
    expect(summarise({ ...TIME, goal: { of, is, bound } }).verdict).toBe(verdict);
  },
);

test("a goal that is surpassed includes the next one", () => {
  const goal = { of: "ratio", is: ">=", bound: 2, further: 2.5 } as const;

  const summary = summarise({ ...TIME, reference: REFERENCE, goal });

  expect(summary.goal).toBe("ratio >= 2, then 2.5");
  expect(summary.verdict).toBe("surpassed");
});

test("a goal for a ratio without a reference is missed", () => {
  expect(summarise({ ...TIME, goal: { of: "ratio", is: ">=", bound: 0 } }).verdict).toBe("missed");
});
