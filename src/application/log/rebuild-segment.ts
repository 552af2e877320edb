import type { DiskFile } from "../../ports/disk.ts";
import {
  CARRIED,
  DEPARTURE,
  type LogRecord,
  REQUEST,
  type SegmentBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentName,
  decodeRanges,
  RECORD_HEAD_BYTES,
} from "./segment-file.ts";
import { type BrokenBytes, scanSegment, visitRecords } from "./scan-segment.ts";
import { markRequest, newSegment, type Segment } from "./segment.ts";
import {
  addRange,
  type SequenceRange,
  countSequences,
  gapsIn,
  hasRange,
} from "./sequence-ranges.ts";

/** A file of the log. */
export interface FoundSegment extends SegmentName, DiskFile {}

/** The records in newer segments about an older one. */
export interface Context {
  /** Spans from this sequence on are in newer segments, or were never acknowledged. */
  readonly limitSequence: number;
  /** The state of it that the newest segment carries. */
  readonly carried: FoundDeparture | undefined;
  readonly segmentBytes: number;
}

/** A recovered segment. */
export interface RebuiltSegment {
  readonly segment: Segment;
  readonly damage: readonly BrokenBytes[];
  readonly torn: BrokenBytes | undefined;
  /** Accepted spans in no intact record, including departed ones. */
  readonly missing: SequenceRange[];
  readonly departures: readonly FoundDeparture[];
  readonly header: SegmentHeader | undefined;
  /** Whether its list of older segments is complete. */
  readonly isOpeningWhole: boolean;
}

/** Returns a file that is no longer needed; it takes up space until it is removed. */
export function leftOverSegment({ number, salt, name, bytes }: FoundSegment): RebuiltSegment {
  const segment = newSegment({ number, salt, name, firstSequence: 1 });
  segment.fileBytes = bytes;
  return {
    segment,
    damage: [],
    torn: undefined,
    missing: [],
    departures: [],
    header: undefined,
    isOpeningWhole: false,
  };
}

/** Reads a segment. A torn write ends it; damage is skipped. */
export function rebuildSegment(
  found: FoundSegment,
  file: SegmentBytes,
  header: SegmentHeader | undefined,
  context: Context,
): RebuiltSegment {
  const scan = scanSegment(file, SEGMENT_HEADER_BYTES);
  const all = header === undefined ? [HEADER_BYTES, ...scan.broken] : scan.broken;
  const provenBytes = Math.max(scan.provenBytes, context.carried?.syncedBytes ?? 0);
  const torn = all.find(({ offsetBytes }) => offsetBytes >= provenBytes);
  const end = torn?.offsetBytes ?? recordBytesUpTo(file.bytes.length);
  const damage = all.filter(({ offsetBytes }) => offsetBytes < end);
  const departures: FoundDeparture[] = [];
  const missing: SequenceRange[] = [];
  let segment: Segment | undefined;
  const broken = scan.broken.filter(({ offsetBytes }) => offsetBytes < end);
  visitRecords(file, { from: SEGMENT_HEADER_BYTES, end, broken }, (record, at) => {
    if (record.type === REQUEST) {
      segment ??= begun(found, header, context, record.firstSequence);
      addRequest(segment, { record, at, missing }, context);
    } else if (record.type === DEPARTURE || record.type === CARRIED) {
      departures.push(foundDeparture(record, file.view, at));
    }
  });
  segment ??= begun(found, header, context, undefined);
  finish(segment, { end, broken, found, missing }, context);
  const isOpeningWhole = header !== undefined && isWhole(header, file, all);
  return { segment, damage, torn, missing, departures, header, isOpeningWhole };
}

function isWhole(
  { openingBytes }: SegmentHeader,
  { bytes }: SegmentBytes,
  broken: readonly BrokenBytes[],
): boolean {
  if (bytes.length < openingBytes) return false;
  return broken.every(({ offsetBytes }) => offsetBytes >= openingBytes);
}

const HEADER_BYTES = { offsetBytes: 0, endBytes: SEGMENT_HEADER_BYTES };

/** Rounds up, because a segment may lack the zeros after its last record. */
function recordBytesUpTo(fileBytes: number): number {
  return Math.ceil(fileBytes / 8) * 8;
}

/** Determines where a segment begins if its header is damaged. */
function begun(
  { number, salt, name }: FoundSegment,
  header: SegmentHeader | undefined,
  { carried, limitSequence }: Context,
  firstFound: number | undefined,
): Segment {
  const known = header?.firstSequence ?? carried?.extent.first ?? firstFound;
  const firstSequence = known ?? (Number.isFinite(limitSequence) ? limitSequence : 1);
  return newSegment({ number, salt, name, firstSequence });
}

function addRequest(
  segment: Segment,
  { record, at, missing }: { record: LogRecord; at: number; missing: SequenceRange[] },
  { limitSequence, carried, segmentBytes }: Context,
): void {
  const { firstSequence: first, spanCount, spanBytes } = record;
  const limit = Math.min(limitSequence, carried?.extent.end ?? Number.POSITIVE_INFINITY);
  if (first >= limit || first < segment.endSequence) return;
  addRange(missing, { first: segment.endSequence, end: first });
  markRequest(segment, { sequence: first, offsetBytes: at, unixMs: record.value }, segmentBytes);
  segment.endSequence = first + spanCount;
  segment.spanBytes += spanBytes;
}

function finish(
  segment: Segment,
  from: {
    readonly end: number;
    readonly broken: readonly BrokenBytes[];
    readonly found: FoundSegment;
    readonly missing: SequenceRange[];
  },
  { carried }: Context,
): void {
  const { end, broken, found, missing } = from;
  const knownEnd = Math.max(carried?.extent.end ?? 0, segment.endSequence);
  addRange(missing, { first: segment.endSequence, end: knownEnd });
  segment.endSequence = knownEnd;
  segment.fileBytes = found.bytes;
  segment.readableBytes = segment.syncedBytes = end;
  segment.broken = broken;
}

/** A record of spans that have departed from a segment. */
export interface FoundDeparture {
  /** The number of that segment. */
  readonly number: number;
  readonly isCarried: boolean;
  /** For a carried segment: all its sequences, and how much of it was synced. */
  readonly extent: SequenceRange;
  readonly syncedBytes: number;
  readonly ranges: readonly SequenceRange[];
  readonly spanBytes: number;
}

/** The departures from one segment. */
export interface Departures {
  /** All departures up to some moment, from the newest segment that carries them. */
  carried: FoundDeparture | undefined;
  /** Later departures, oldest first. */
  later: FoundDeparture[];
}

export type DeparturesBySegment = Map<number, Departures>;

/** Copies a record of departures from a segment. */
function foundDeparture(record: LogRecord, view: DataView, at: number): FoundDeparture {
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
 * Adds the departures of the next older segment, in order. Once a newer segment has carried
 * everything, older segments add nothing.
 */
export function noteDepartures(
  bySegment: DeparturesBySegment,
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
 * Returns all departures from a segment. A failed group may be on the disk next to the one that
 * repeated it, so records without new departures are skipped.
 */
export function departedRanges(leavers: Departures | undefined): {
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

/** Returns the number of spans that a segment still held according to its last record. */
export function remainingSpans(leavers: Departures): number {
  const extent = leavers.carried?.extent;
  if (extent === undefined) return 0;
  return countSequences(gapsIn(extent, departedRanges(leavers).ranges));
}
