import { assert } from "../../domain/assert.ts";

/** Sequences from `first` up to, but not including, `end`. */
export interface SequenceRange {
  readonly first: number;
  readonly end: number;
}

/**
 * A set of sequences as ranges in ascending order, none of them empty and no two adjacent. Spans
 * leave a log roughly in order, so a few ranges hold millions of sequences.
 */
export type SequenceRanges = SequenceRange[];

export function countSequences(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { first, end }) => sum + end - first, 0);
}

/** Adds sequences that are not in the set yet. */
export function addRange(ranges: SequenceRanges, { first, end }: SequenceRange): void {
  if (first === end) return;
  const at = firstEndingAfter(ranges, first);
  const before = ranges[at - 1];
  const after = ranges[at];
  assert(after === undefined || end <= after.first, "added sequences are not in the set");
  const joinsBefore = before?.end === first;
  const joinsAfter = after?.first === end;
  const joined = {
    first: joinsBefore ? before.first : first,
    end: joinsAfter ? after.end : end,
  };
  ranges.splice(at - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), joined);
}

/** Removes sequences that are all in the set. */
export function removeRange(ranges: SequenceRanges, { first, end }: SequenceRange): void {
  if (first === end) return;
  assert(hasRange(ranges, { first, end }), "removed sequences are in the set");
  const at = firstEndingAfter(ranges, first);
  const whole = ranges[at]!;
  const rest = [
    { first: whole.first, end: first },
    { first: end, end: whole.end },
  ];
  ranges.splice(at, 1, ...rest.filter((range) => range.first < range.end));
}

/** Reports whether all of these sequences are in the set. */
export function hasRange(ranges: readonly SequenceRange[], range: SequenceRange): boolean {
  const found = ranges[firstEndingAfter(ranges, range.first)];
  return found !== undefined && found.first <= range.first && range.end <= found.end;
}

/** Returns the sequences of `extent` that are in none of the sets. */
export function gapsIn(
  extent: SequenceRange,
  ...sets: readonly (readonly SequenceRange[])[]
): SequenceRange[] {
  return sets.reduce<SequenceRange[]>(
    (gaps, ranges) => gaps.flatMap((gap) => gapsBetween(gap, ranges)),
    extent.first < extent.end ? [extent] : [],
  );
}

function gapsBetween(extent: SequenceRange, ranges: readonly SequenceRange[]): SequenceRange[] {
  const gaps: SequenceRange[] = [];
  let first = extent.first;
  for (let at = firstEndingAfter(ranges, first); at < ranges.length; at += 1) {
    const range = ranges[at]!;
    if (range.first >= extent.end) break;
    if (first < range.first) gaps.push({ first, end: range.first });
    first = range.end;
  }
  if (first < extent.end) gaps.push({ first, end: extent.end });
  return gaps;
}

/** Returns the index of the first range that ends after `sequence`, or the number of ranges. */
function firstEndingAfter(ranges: readonly SequenceRange[], sequence: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
