import { spansWithInvalidText } from "../../domain/wire/invalid-text.ts";
import type { LeasePart } from "../../ports/trace-buffer.ts";

/**
 * Some spans of a lease, as ranges of positions in ascending order, no two adjacent.
 *
 *   position   0 1 2 3 4 5 6 7 8 9
 *              . x x . . x . . x x      3 runs of 5 spans
 */
export type SpanRuns = readonly LeasePart[];

export function countOf(runs: SpanRuns): number {
  return runs.reduce((count, { first, end }) => count + end - first, 0);
}

/** Splits runs after the given number of spans. */
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

/** Splits runs into marked and unmarked spans; either part may be empty. */
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
  /**
   * Whether the request is rebuilt from these spans alone, without messages that hold none of them.
   */
  readonly isCut: boolean;
  /** Whether the span was refused alone while others were accepted: the next refusal is final. */
  readonly isLastTry?: true;
  /** How often the upstream or the route has refused these spans during their last try. */
  readonly blockedCount?: number;
}

/** Holds what is known about the spans of a refused lease. */
export interface Suspects {
  readonly request: Uint8Array;
  /** 1 for each span with invalid text; computed when first needed. */
  invalid?: Uint8Array;
  /** Whether a span with invalid text was refused alone; others like it need not be tried alone. */
  isStrict: boolean;
}

export function piecesOf(...parts: readonly SpanRuns[]): Piece[] {
  return parts.map((runs) => ({ runs, isCut: true }));
}

/**
 * Returns the pieces to send instead of a refused one; none if no part of it can be accepted. Spans
 * with invalid text are separated from the others first. They are nearly always the cause, and two
 * requests isolate them where halving would take many.
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
