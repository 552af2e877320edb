import { assert } from "../../domain/assert.ts";
import type { SpanPlaces } from "../../domain/wire/request-spans.ts";
import { depart } from "./departures.ts";
import { startWriting } from "./group-commit.ts";
import type { LogLease } from "./lease-spans.ts";
import { bookDeparted, type Cause } from "./log-books.ts";
import { type LogState, segmentOf } from "./log-state.ts";
import { freeIn, freeRanges, type Segment } from "./segment.ts";
import { removeRange, type SequenceRange } from "./sequence-ranges.ts";

export type LogSettlement = Exclude<Cause, "evicted"> | "returned";

/**
 * Ends the lease of some of its spans. Returns how many of those that were to be returned are
 * evicted, because their segment has made room.
 */
export function settleLease(
  state: LogState,
  lease: LogLease,
  part: SpanPlaces,
  settlement: LogSettlement,
): number {
  let evictedSpans = 0;
  for (let at = part.first; at < part.end;) {
    const run = runFrom(state, lease, { first: at, end: part.end });
    at += run.range.end - run.range.first;
    if (run.segment === undefined) evictedSpans += settleOrphans(state, run, settlement);
    else settleStored(state, run.segment, run, settlement);
  }
  startWriting(state);
  return evictedSpans;
}

/** Consecutive spans of a lease that lie in one segment, or in none any more. */
interface LeaseRun {
  readonly segment: Segment | undefined;
  readonly range: SequenceRange;
  readonly bytes: number;
}

function runFrom(state: LogState, lease: LogLease, { first, end }: SpanPlaces): LeaseRun {
  const { sequences, lengthBytes, settled } = lease;
  const firstSequence = sequences[first]!;
  const segment = segmentOf(state, firstSequence);
  const endSequence = segment?.endSequence ?? state.segments[0]?.firstSequence ?? Infinity;
  let bytes = 0;
  let at = first;
  for (; at < end && sequences[at] === firstSequence + at - first; at += 1) {
    if (sequences[at]! >= endSequence) break;
    assert(settled[at] === 0, "a leased span is settled once");
    settled[at] = 1;
    bytes += lengthBytes[at]!;
  }
  return { segment, range: { first: firstSequence, end: firstSequence + at - first }, bytes };
}

function settleStored(
  state: LogState,
  segment: Segment,
  { range, bytes }: LeaseRun,
  settlement: LogSettlement,
): void {
  removeRange(segment.leased, range);
  segment.leasedBytes -= bytes;
  if (settlement === "returned") state.staleCount += 1;
  else depart(state, { segment, cause: settlement, ranges: [range], spanBytes: bytes });
}

function settleOrphans(
  state: LogState,
  { range, bytes }: LeaseRun,
  settlement: LogSettlement,
): number {
  const spans = range.end - range.first;
  state.orphans.spans -= spans;
  state.orphans.bytes -= bytes;
  const isEvicted = settlement === "returned";
  bookDeparted(state.books, isEvicted ? "evicted" : settlement, { spans, bytes });
  return isEvicted ? spans : 0;
}

/** Takes every free span; returns how many there were. Nothing is read for it. */
export function takeAll(state: LogState): number {
  let spans = 0;
  for (const segment of state.segments) {
    const free = freeIn(segment);
    depart(state, { segment, cause: "taken", ranges: freeRanges(segment), spanBytes: free.bytes });
    spans += free.spans;
  }
  startWriting(state);
  return spans;
}
