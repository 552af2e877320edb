import type { DiskFile } from "../../ports/disk.ts";
import { CARRIED, DEPARTURE, type LogRecord, REQUEST, type SegmentBytes } from "./record.ts";
import { type FoundDeparture, foundDeparture } from "./recovered-departures.ts";
import { type BrokenBytes, scanSegment, visitRecords } from "./scan-segment.ts";
import { SEGMENT_HEADER_BYTES, type SegmentHeader, type SegmentName } from "./segment-file.ts";
import { markRequest, newSegment, type Segment } from "./segment.ts";
import { addRange, type SequenceRange } from "./sequence-ranges.ts";

/** A file of the log. */
export interface FoundSegment extends SegmentName, DiskFile {}

/** What newer segments say about one. */
export interface Context {
  /** Spans from this sequence on are in newer segments, or were never acknowledged. */
  readonly limitSequence: number;
  /** The segment, as the newest that knows it has carried it. */
  readonly carried: FoundDeparture | undefined;
  readonly segmentBytes: number;
}

/** A segment as it was found. */
export interface Rebuilt {
  readonly segment: Segment;
  readonly damage: readonly BrokenBytes[];
  readonly torn: BrokenBytes | undefined;
  /** Accepted spans that are in no intact record, also those that have departed. */
  readonly missing: SequenceRange[];
  readonly departures: readonly FoundDeparture[];
  readonly header: SegmentHeader | undefined;
  /** Whether its list of older segments is complete. */
  readonly isOpeningWhole: boolean;
}

/** A file of which nothing is needed: it takes room until it is removed. */
export function leftOverSegment({ number, salt, name, bytes }: FoundSegment): Rebuilt {
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

/** Reads one segment. What is torn ends it; what is damaged is stepped over. */
export function rebuildSegment(
  found: FoundSegment,
  file: SegmentBytes,
  header: SegmentHeader | undefined,
  context: Context,
): Rebuilt {
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

/** A segment may end without the zeros behind its last record. */
function recordBytesUpTo(fileBytes: number): number {
  return Math.ceil(fileBytes / 8) * 8;
}

/** Where a segment begins, if its header does not say so. */
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
