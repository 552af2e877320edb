import { assert } from "../../domain/assert.ts";
import type { SpanRange } from "../../domain/wire/request-spans.ts";
import { startWriting } from "./group-commit.ts";
import type { LogLease } from "./lease-spans.ts";
import { type LogState, segmentOf } from "./log-state.ts";
import { type Cause, countDeparted, freeIn, freeRanges, type Segment } from "./segment.ts";
import { addRange, hasRange, removeRange, type SequenceRange } from "./sequence-ranges.ts";
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
 * Leases spans that were read elsewhere, and are free here. Those that are not in the log are
 * skipped.
 */
export function holdSpans(state: LogState, held: HeldSpans): void {
  for (const { segment, range, bytes } of runsOf(state, held, wholeOf(held))) {
    if (segment === undefined) continue;
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
    if (run.segment !== undefined) settleStored(state, run.segment, run, settlement);
    else if (isOrphaned(state, run)) evictedSpans += settleOrphans(state, run, settlement);
  }
  startWriting(state);
  return evictedSpans;
}

export function wholeOf({ sequences }: HeldSpans): SpanRange {
  return { first: 0, end: sequences.length };
}

/** A run of consecutive spans of a lease: in one segment, in a removed one, or not in the log. */
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
  const endSequence = segment?.endSequence ?? endOutside(state, firstSequence);
  let bytes = 0;
  let at = first;
  for (; at < end && sequences[at] === firstSequence + at - first; at += 1) {
    if (sequences[at]! >= endSequence) break;
    bytes += lengthBytes[at]!;
  }
  return { segment, range: { first: firstSequence, end: firstSequence + at - first }, bytes };
}

/** Returns where the spans end that are in no segment, and all of them orphans or none. */
function endOutside({ segments, orphans, nextSequence }: LogState, sequence: number): number {
  const later = segments.find(({ firstSequence }) => firstSequence > sequence);
  const range = orphans.ranges.find(({ end }) => end > sequence);
  const edge = range !== undefined && range.first <= sequence ? range.end : range?.first;
  return Math.min(later?.firstSequence ?? nextSequence, edge ?? nextSequence);
}

function isOrphaned({ orphans }: LogState, { range }: LeaseRun): boolean {
  return hasRange(orphans.ranges, range);
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
  removeRange(state.orphans.ranges, range);
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

/** Removes free spans of one segment at once as evicted; nothing if they are not in the log. */
export function discardSpans(state: LogState, range: SequenceRange, spanBytes: number): void {
  const segment = segmentOf(state, range.first);
  if (segment === undefined) return;
  depart(state, { segment, cause: "evicted", ranges: [range], spanBytes });
  startWriting(state);
}
