import { startWriting } from "./group-commit.ts";
import type { LogState } from "./log-state.ts";
import { type Cause, extentOf, freeIn, freeRanges, type Segment } from "./segment.ts";
import { countSequences, type SequenceRange } from "./sequence-ranges.ts";
import { depart } from "./write-records.ts";

/**
 * Removes spans by their sequences, which others have read elsewhere. Skips sequences that are not
 * stored, or leased.
 */
export function removeSpans(state: LogState, range: SequenceRange, cause: Cause): void {
  for (const segment of state.segments) {
    const { first, end } = extentOf(segment);
    if (end <= range.first || range.end <= first) continue;
    const inside = { first: Math.max(first, range.first), end: Math.min(end, range.end) };
    removeFrom(state, segment, { ranges: freeRanges(segment, inside), cause });
  }
  startWriting(state);
}

function removeFrom(
  state: LogState,
  segment: Segment,
  { ranges, cause }: { readonly ranges: readonly SequenceRange[]; readonly cause: Cause },
): void {
  if (ranges.length === 0) return;
  const spanBytes = estimatedBytes(segment, countSequences(ranges));
  depart(state, { segment, cause, ranges, spanBytes });
}

/**
 * Returns the share of these spans in the bytes of all free ones, because the log does not know the
 * size of each. The last spans of a segment get the rest, so the sums are exact.
 */
function estimatedBytes(segment: Segment, spanCount: number): number {
  const { spans, bytes } = freeIn(segment);
  return spanCount === spans ? bytes : Math.floor((bytes * spanCount) / spans);
}
