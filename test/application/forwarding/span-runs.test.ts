import { expect, test } from "bun:test";
import {
  countOf,
  divideRuns,
  halvesOf,
  type SpanRuns,
  splitRuns,
} from "../../../src/application/forwarding/suspects.ts";

const run = (first: number, end: number) => ({ first, end });
const locationsOf = (runs: SpanRuns): number[] =>
  runs.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, at) => first + at));

const RUNS = [run(1, 3), run(5, 6), run(8, 10)];

test("the count of runs is the number of their spans", () => {
  expect([countOf([]), countOf(RUNS)]).toEqual([0, 5]);
});

test.each([0, 1, 2, 3, 4, 5, 9])("splitting runs after %d spans loses none", (count) => {
  const [head, tail] = splitRuns(RUNS, count);

  const locations = locationsOf(RUNS);
  expect([locationsOf(head), locationsOf(tail)]).toEqual([
    locations.slice(0, count),
    locations.slice(count),
  ]);
});

test("halves are in order, and the first is the larger one", () => {
  expect(halvesOf(RUNS).map(locationsOf)).toEqual([
    [1, 2, 5],
    [8, 9],
  ]);
  expect(halvesOf([run(4, 5)]).map(locationsOf)).toEqual([[4], []]);
});

test("marked spans are separated from the others, in as few runs as possible", () => {
  const marks = Uint8Array.from([1, 1, 0, 1, 1, 0, 1, 1, 1, 1]);

  expect(divideRuns(RUNS, marks)).toEqual({
    marked: [run(1, 2), run(8, 10)],
    others: [run(2, 3), run(5, 6)],
  });
  expect(divideRuns([], marks)).toEqual({ marked: [], others: [] });
});
