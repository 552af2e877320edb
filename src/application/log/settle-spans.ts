import { assert } from "../../domain/assert.ts";
import type { SpanRange } from "../../domain/wire/request-spans.ts";
import { startWriting } from "./group-commit.ts";
import type { LogLease } from "./lease-spans.ts";
import { type LogState, segmentOf } from "./log-state.ts";
import { type Cause, countDeparted, freeIn, freeRanges, type Segment } from "./segment.ts";
import { addRange, removeRange, type SequenceRange } from "./sequence-ranges.ts";
import { depart } from "./write-records.ts";

export type LogSettlement = Exclude<Cause, "evicted"> | "returned";

/**
 * Ends the lease for some of its spans. Returns how many of the spans to be returned are evicted,
 * because their segment was removed to make room.
 */
export function settleLease(
  state: LogState,
  lease: LogLease,
  part: SpanRange,
  settlement: LogSettlement,
): number {
  for (let at = part.first; at < part.end; at += 1) {
    assert(lease.settled[at] === 0, "a leased span is settled once");
    lease.settled[at] = 1;
  }
  return settleHeld(state, lease, part, settlement);
}

/** Spans that are leased, in ascending order, with the length of each. */
export type HeldSpans = Pick<LogLease, "sequences" | "lengthBytes">;

/**
 * Leases spans that were read elsewhere, and are free here. Those beyond the end of the log are not
 * in it, and are skipped.
 */
export function holdSpans(state: LogState, held: HeldSpans): void {
  for (const { segment, range, bytes } of runsOf(state, held, wholeOf(held))) {
    assert(segment !== undefined, "held spans are in the log");
    addRange(segment.leased, range);
    segment.leasedBytes += bytes;
  }
}

/** Ends the lease for held spans, each of which must be settled once. See `settleLease`. */
export function settleHeld(
  state: LogState,
  held: HeldSpans,
  part: SpanRange,
  settlement: LogSettlement,
): number {
  let evictedSpans = 0;
  for (const run of runsOf(state, held, part)) {
    if (run.segment === undefined) evictedSpans += settleOrphans(state, run, settlement);
    else settleStored(state, run.segment, run, settlement);
  }
  startWriting(state);
  return evictedSpans;
}

export function wholeOf({ sequences }: HeldSpans): SpanRange {
  return { first: 0, end: sequences.length };
}

/** A run of consecutive spans of a lease, in one segment or in a removed one. */
interface LeaseRun {
  readonly segment: Segment | undefined;
  readonly range: SequenceRange;
  readonly bytes: number;
}

function* runsOf(state: LogState, held: HeldSpans, { first, end }: SpanRange) {
  for (let at = first; at < end && held.sequences[at]! < state.nextSequence;) {
    const run = runFrom(state, held, { first: at, end });
    at += run.range.end - run.range.first;
    yield run;
  }
}

function runFrom(state: LogState, held: HeldSpans, { first, end }: SpanRange): LeaseRun {
  const { sequences, lengthBytes } = held;
  const firstSequence = sequences[first]!;
  const segment = segmentOf(state, firstSequence);
  const later = state.segments.find((each) => each.firstSequence > firstSequence);
  const endSequence = segment?.endSequence ?? later?.firstSequence ?? state.nextSequence;
  let bytes = 0;
  let at = first;
  for (; at < end && sequences[at] === firstSequence + at - first; at += 1) {
    if (sequences[at]! >= endSequence) break;
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
  countDeparted(state.ledgers, isEvicted ? "evicted" : settlement, { spans, bytes });
  return isEvicted ? spans : 0;
}

/** Takes every free span without reading it; returns their number. */
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

/** Removes free spans at once as evicted; they must be in one segment. */
export function discardSpans(state: LogState, range: SequenceRange, spanBytes: number): void {
  const segment = segmentOf(state, range.first);
  assert(segment !== undefined, "discarded spans are in the log");
  depart(state, { segment, cause: "evicted", ranges: [range], spanBytes });
  startWriting(state);
}
