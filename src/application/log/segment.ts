import { assert } from "../../domain/assert.ts";
import type { BrokenBytes } from "./scan-segment.ts";
import { addRange, countSequences, gapsIn, type SequenceRange } from "./sequence-ranges.ts";
import { assertLedgerBalances, type Ledger, type SpanAmount } from "../../domain/ledger.ts";

/**
 * The state of a segment in memory. It grows with the number of gaps between departed spans and
 * with the marks, of which it has at most `MAX_MARKS`; not with the number of spans.
 *
 *   firstSequence                                    endSequence
 *   |  departed  |  leased  |  free  | departed | free  |
 *
 * Invariant: stored spans = endSequence - firstSequence - departed, and leased spans are stored.
 */
export interface Segment {
  // Fixed at construction.
  readonly number: number;
  readonly salt: number;
  readonly name: string;
  readonly firstSequence: number;

  // Changed by commits. Spans are known up to `endSequence`, and are before `readableBytes`.
  endSequence: number;
  spanBytes: number;
  /** Maximum size of the file, including failed writes. */
  fileBytes: number;
  readableBytes: number;
  syncedBytes: number;
  readonly marks: SegmentMark[];
  /** Damaged bytes, which reads skip. */
  broken: readonly BrokenBytes[];

  // Changed by reads: where the next one probably begins.
  cursor: SegmentMark | undefined;
  /** The time of the first failed read, if the disk keeps failing to read the segment. */
  failingSinceMs: number | undefined;

  // Changed by departures and leases.
  readonly departed: SequenceRange[];
  departedBytes: number;
  readonly leased: SequenceRange[];
  leasedBytes: number;
  /** Number of the last departure from here, counted over the whole log. */
  lastDeparture: number;
}

/** The offset and arrival time of the request that begins with this sequence. */
export interface SegmentMark {
  readonly sequence: number;
  readonly offsetBytes: number;
  readonly unixMs: number;
}

/** Limits the bytes that a read skips to a 64th of a segment. */
const MAX_MARKS = 64;

export function newSegment(
  fixed: Pick<Segment, "number" | "salt" | "name" | "firstSequence">,
): Segment {
  return {
    ...fixed,
    endSequence: fixed.firstSequence,
    spanBytes: 0,
    fileBytes: 0,
    readableBytes: 0,
    syncedBytes: 0,
    marks: [],
    broken: [],
    cursor: undefined,
    failingSinceMs: undefined,
    departed: [],
    departedBytes: 0,
    leased: [],
    leasedBytes: 0,
    lastDeparture: 0,
  };
}

export function extentOf({ firstSequence, endSequence }: Segment): SequenceRange {
  return { first: firstSequence, end: endSequence };
}

/** Returns the spans that have not departed, leased or not. */
export function storedIn(segment: Segment): SpanAmount {
  const { firstSequence, endSequence, departed, spanBytes, departedBytes } = segment;
  return {
    spans: endSequence - firstSequence - countSequences(departed),
    bytes: spanBytes - departedBytes,
  };
}

/** Returns the sequences that have not departed, leased or not. */
export function storedRanges(segment: Segment): SequenceRange[] {
  return gapsIn(extentOf(segment), segment.departed);
}

/** Returns the spans that are neither departed nor leased. */
export function freeIn(segment: Segment): SpanAmount {
  const { spans, bytes } = storedIn(segment);
  return { spans: spans - countSequences(segment.leased), bytes: bytes - segment.leasedBytes };
}

export function freeRanges(segment: Segment, extent = extentOf(segment)): SequenceRange[] {
  return gapsIn(extent, segment.departed, segment.leased);
}

/** Reports whether the segment has no stored spans left. */
export function isSpent(segment: Segment): boolean {
  return storedIn(segment).spans === 0;
}

/** Marks stored spans that are not leased as departed. */
export function markDeparted(
  segment: Segment,
  ranges: readonly SequenceRange[],
  spanBytes: number,
): void {
  for (const range of ranges) addRange(segment.departed, range);
  segment.departedBytes += spanBytes;
  assert(segment.departedBytes <= segment.spanBytes, "departed bytes <= span bytes");
}

/** Records where the first request begins, and later ones at regular distances. */
export function markRequest(segment: Segment, mark: SegmentMark, segmentBytes: number): void {
  const last = segment.marks.at(-1)?.offsetBytes ?? Number.NEGATIVE_INFINITY;
  if (mark.offsetBytes - last >= segmentBytes / MAX_MARKS) segment.marks.push(mark);
}

/** Returns the last known request at or before a sequence. */
export function markBefore(segment: Segment, sequence: number): SegmentMark | undefined {
  const { marks, cursor } = segment;
  const mark = marks.findLast((each) => each.sequence <= sequence);
  if (cursor === undefined || cursor.sequence > sequence) return mark;
  return mark === undefined || mark.offsetBytes < cursor.offsetBytes ? cursor : mark;
}

export type { SpanAmount };

/** The reasons for which spans leave the log for good. */
export type Cause = "taken" | "delivered" | "evicted" | "undeliverable";

/** The causes by their number in records. The number 0 marks spans that a record only counts. */
export const CAUSES: readonly (Cause | undefined)[] = [
  undefined,
  "taken",
  "delivered",
  "evicted",
  "undeliverable",
];

type MutableLedger = { -readonly [Entry in keyof Ledger]: Ledger[Entry] };

/**
 * Counts the spans that this run has acknowledged or restored, in spans and in bytes:
 *
 *     accepted = buffered + taken + delivered + evicted + undeliverable
 *
 * The log rejects nothing, because it receives only valid spans.
 */
export interface LogLedgers {
  readonly spans: MutableLedger;
  readonly bytes: MutableLedger;
}

export function emptyLedgers(): LogLedgers {
  return { spans: emptyLedger(), bytes: emptyLedger() };
}

export function countAccepted(ledgers: LogLedgers, { spans, bytes }: SpanAmount): void {
  for (const entry of ["received", "accepted", "buffered"] as const) {
    ledgers.spans[entry] += spans;
    ledgers.bytes[entry] += bytes;
  }
  assertBalance(ledgers);
}

export function countDeparted(
  ledgers: LogLedgers,
  cause: Cause,
  { spans, bytes }: SpanAmount,
): void {
  ledgers.spans.buffered -= spans;
  ledgers.bytes.buffered -= bytes;
  ledgers.spans[cause] += spans;
  ledgers.bytes[cause] += bytes;
  assertBalance(ledgers);
}

function assertBalance({ spans, bytes }: LogLedgers): void {
  assertLedgerBalances(spans);
  assertLedgerBalances(bytes);
}

function emptyLedger(): MutableLedger {
  return {
    received: 0,
    rejected: 0,
    accepted: 0,
    buffered: 0,
    taken: 0,
    delivered: 0,
    evicted: 0,
    undeliverable: 0,
  };
}
