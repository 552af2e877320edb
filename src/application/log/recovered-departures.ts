import { CARRIED, decodeRanges, type LogRecord, RECORD_HEAD_BYTES } from "./record.ts";
import {
  addRange,
  countSequences,
  gapsIn,
  hasRange,
  type SequenceRange,
} from "./sequence-ranges.ts";

/** A record of spans that have left a segment. */
export interface FoundDeparture {
  /** The segment they have left. */
  readonly number: number;
  readonly isCarried: boolean;
  /** Of the segment as a whole, if carried, and how much of it was synced. */
  readonly extent: SequenceRange;
  readonly syncedBytes: number;
  readonly ranges: readonly SequenceRange[];
  readonly spanBytes: number;
}

/** What had left one segment. */
export interface Leavers {
  /** All of it up to some moment, from the newest segment that says so. */
  carried: FoundDeparture | undefined;
  /** What came after, oldest first. */
  later: FoundDeparture[];
}

export type LeaversBySegment = Map<number, Leavers>;

/** Copies a record of departures out of a segment. */
export function foundDeparture(record: LogRecord, view: DataView, at: number): FoundDeparture {
  const { type, firstSequence: first, spanCount, payloadBytes } = record;
  return {
    number: record.value,
    isCarried: type === CARRIED,
    extent: { first, end: first + spanCount },
    ranges: decodeRanges(view, at + RECORD_HEAD_BYTES, payloadBytes),
    spanBytes: record.spanBytes,
    syncedBytes: record.syncedBytes,
  };
}

/**
 * Adds what the next older segment says, its records in order. Once a newer segment has carried
 * everything, what older ones say is part of it.
 */
export function noteDepartures(
  bySegment: LeaversBySegment,
  departures: readonly FoundDeparture[],
): void {
  for (const [number, records] of Map.groupBy(departures, (each) => each.number)) {
    const known = bySegment.get(number) ?? { carried: undefined, later: [] };
    bySegment.set(number, known);
    if (known.carried !== undefined) continue;
    known.carried = records.findLast((each) => each.isCarried);
    known.later.unshift(...records.filter((each) => !each.isCarried));
  }
}

/**
 * All that has left a segment. A group that failed may be on the disk beside the one that repeated
 * it, so a record that says nothing new is passed over.
 */
export function departedRanges(leavers: Leavers | undefined): {
  readonly ranges: SequenceRange[];
  readonly spanBytes: number;
} {
  const ranges = [...(leavers?.carried?.ranges ?? [])];
  let spanBytes = leavers?.carried?.spanBytes ?? 0;
  for (const departure of leavers?.later ?? []) {
    if (departure.ranges.every((range) => hasRange(ranges, range))) continue;
    for (const range of departure.ranges) {
      for (const gap of gapsIn(range, ranges)) addRange(ranges, gap);
    }
    spanBytes += departure.spanBytes;
  }
  return { ranges, spanBytes };
}

/** Spans that a segment still held when everything about it was written. */
export function remainingSpans(leavers: Leavers): number {
  const extent = leavers.carried?.extent;
  if (extent === undefined) return 0;
  return countSequences(gapsIn(extent, departedRanges(leavers).ranges));
}
