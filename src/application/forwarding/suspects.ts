import { spansWithInvalidText } from "../../domain/wire/invalid-text.ts";
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

/** Spans of a lease that are sent together. */
export interface Piece {
  readonly runs: SpanRuns;
  /** Made of these spans alone, without messages of the lease that hold none of them. */
  readonly isCut: boolean;
  /** Refused alone before, while other spans are taken: one more refusal is the last. */
  readonly isLastTry?: true;
  /** How often a refusal of the upstream or the route has met these spans in their last try. */
  readonly blockedCount?: number;
}

/** Holds what is known of the spans of a refused lease. */
export interface Suspects {
  readonly request: Uint8Array;
  /** 1 for each span whose text is invalid; worked out when it is needed. */
  invalid?: Uint8Array;
  /** A span whose text is invalid was refused alone: others like it need not be tried alone. */
  isStrict: boolean;
}

export function piecesOf(...parts: readonly SpanRuns[]): Piece[] {
  return parts.map((runs) => ({ runs, isCut: true }));
}

/**
 * Returns what to send in place of a refused piece; nothing when no part of it can be taken. Spans
 * with invalid text are separated from the others first: they are nearly always the reason, and two
 * requests isolate what takes many by halves.
 */
export function takeApart(suspects: Suspects, { runs, isCut }: Piece): Piece[] {
  const { marked, others } = divideRuns(runs, invalidSpans(suspects));
  if (marked.length > 0 && others.length > 0) return piecesOf(others, marked);
  const isAllInvalid = marked.length > 0;
  if (countOf(runs) > 1)
    return isAllInvalid && suspects.isStrict ? [] : piecesOf(...halvesOf(runs));
  if (!isCut) return piecesOf(runs);
  suspects.isStrict ||= isAllInvalid;
  return [];
}

export function isInvalid(suspects: Suspects, runs: SpanRuns): boolean {
  return divideRuns(runs, invalidSpans(suspects)).others.length === 0;
}

function invalidSpans(suspects: Suspects): Uint8Array {
  return (suspects.invalid ??= spansWithInvalidText(suspects.request));
}
