import type { LeasePart } from "../../ports/trace-buffer.ts";

/**
 * Some of a lease's spans, by their places: runs that ascend and do not touch.
 *
 *   places   0 1 2 3 4 5 6 7 8 9
 *            . x x . . x . . x x      3 runs of 5 spans
 */
export type SpanRuns = readonly LeasePart[];

export function countOf(runs: SpanRuns): number {
  return runs.reduce((count, { first, end }) => count + end - first, 0);
}

/** Splits runs after so many spans. */
export function splitRuns(runs: SpanRuns, count: number): [head: SpanRuns, tail: SpanRuns] {
  const [head, tail]: [LeasePart[], LeasePart[]] = [[], []];
  let left = count;
  for (const { first, end } of runs) {
    const middle = Math.min(end, first + left);
    if (first < middle) head.push({ first, end: middle });
    if (middle < end) tail.push({ first: middle, end });
    left -= middle - first;
  }
  return [head, tail];
}

export function halvesOf(runs: SpanRuns): [first: SpanRuns, second: SpanRuns] {
  return splitRuns(runs, Math.ceil(countOf(runs) / 2));
}

/** Splits runs into marked spans and others; either may be empty. */
export function divideRuns(
  runs: SpanRuns,
  marks: Uint8Array,
): { readonly marked: SpanRuns; readonly others: SpanRuns } {
  const [marked, others]: [LeasePart[], LeasePart[]] = [[], []];
  for (const { first, end } of runs) {
    for (let from = first; from < end;) {
      let to = from + 1;
      while (to < end && marks[to] === marks[from]) to += 1;
      (marks[from] === 1 ? marked : others).push({ first: from, end: to });
      from = to;
    }
  }
  return { marked, others };
}
