import { assembleRequest, concatenate } from "../../domain/wire/assemble.ts";
import { everySpan, rowsOf, type SpanTable } from "../../domain/wire/request-spans.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { loseUnreadable } from "./damage.ts";
import { type SpanAmount, extentOf, freeIn, freeRanges, type Segment } from "./segment.ts";
import { type LogState, segmentOf } from "./log-state.ts";
import { BrokenRecordError, readRequests } from "./read-stored.ts";
import type { StoredRequest } from "./stored-request.ts";
import { addRange, countSequences, type SequenceRange } from "./sequence-ranges.ts";

/**
 * Spans that were read from the disk for sending. They stay stored, and no other lease gets them,
 * until each is settled, exactly once.
 */
export interface LogLease {
  // Fixed at construction.
  /** The spans as one request, with the sequence and length of each, in its order. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
  readonly lengthBytes: Uint32Array;

  // Changed by `settleLease`: 1 for each settled span.
  readonly settled: Uint8Array;
}

/**
 * Leases the oldest free spans up to the limit, but at least one, however large it is; not those
 * that are in memory too. Leases are read one after the other, so no two get the same spans.
 * `found` is called with the lease, or with undefined if no span is free on disk only, before
 * anything else can happen to the log or to memory.
 */
export async function leaseOldest(
  state: LogState,
  limit: SpanAmount,
  found: (lease: LogLease | undefined) => void = () => {},
): Promise<LogLease | undefined> {
  if (limit.spans < 1) return undefined;
  const before = state.reading;
  const leasing = (async () => {
    await before.catch(() => {});
    return await leaseNow(state, limit, found);
  })();
  state.reading = leasing;
  return await leasing;
}

async function leaseNow(
  state: LogState,
  limit: SpanAmount,
  found: (lease: LogLease | undefined) => void,
): Promise<LogLease | undefined> {
  for (;;) {
    const { staleCount } = state;
    const end = leasableEnd(state);
    if (!state.segments.some((segment) => hasLeasable(segment, end))) {
      found(undefined);
      return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- the spans may have departed meanwhile
    const requests = await readOldest(state, limit, end);
    const isStale = staleCount !== state.staleCount;
    const lease = isStale ? undefined : selectSpans(state, { requests, end }, limit);
    // The lease has copies. Without this, a fast reader would fill memory with what it has read.
    for (const { bytes } of requests) releaseOwnBuffer(bytes);
    if (isStale) continue;
    if (lease !== undefined) found(lease);
    if (lease !== undefined) return lease;
    // oxlint-disable-next-line no-await-in-loop -- spans that cannot be found are lost and skipped
    if (requests.length === 0) await loseMissing(state, end);
  }
}

/**
 * Returns the end of the spans that are on disk only. It must be the same for a whole read: when
 * spans leave memory meanwhile, the first of them may already have been passed over.
 */
function leasableEnd({ parts: { memory } }: LogState): number {
  return memory === undefined ? Number.POSITIVE_INFINITY : memory.range().first;
}

function hasLeasable(segment: Segment, end: number): boolean {
  return freeIn(segment).spans > 0 && leasableIn(segment, end).length > 0;
}

/** Returns the free spans of a segment, or of a part of it, before `end`. */
function leasableIn(segment: Segment, end: number, part = extentOf(segment)): SequenceRange[] {
  return freeRanges(segment, { first: part.first, end: Math.min(part.end, end) });
}

/** Gives up spans that are in no record of the oldest segment with free spans. */
async function loseMissing(state: LogState, end: number): Promise<void> {
  const segment = state.segments.find((each) => hasLeasable(each, end));
  if (segment === undefined) return;
  const lostSpans = await loseUnreadable(state, segment);
  if (lostSpans === 0) throw new Error(`${segment.name} cannot be read`);
}

/** Reads requests with the oldest free spans, at least as many as the limit allows. */
async function readOldest(
  state: LogState,
  limit: SpanAmount,
  end: number,
): Promise<StoredRequest[]> {
  const requests: StoredRequest[] = [];
  const wanted = { spans: limit.spans, bytes: limit.bytes };
  for (const segment of state.segments.filter((each) => hasLeasable(each, end))) {
    if (wanted.spans <= 0 || wanted.bytes <= 0) break;
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    await readFree(
      state,
      { segment, end, wantedBytes: wantedBytes(segment, wanted) },
      (request) => {
        const freeSpans = countSequences(leasableIn(segment, end, extentOfRequest(request)));
        if (freeSpans === 0) return true;
        requests.push(request);
        wanted.spans -= freeSpans;
        wanted.bytes -= freeSpans === request.spanCount ? request.spanBytes : 0;
        return wanted.spans > 0 && wanted.bytes > 0;
      },
    );
  }
  return requests;
}

/** Estimates the bytes to read, with the average of the segment for each span. */
function wantedBytes(segment: Segment, { spans, bytes }: SpanAmount): number {
  const { first, end } = extentOf(segment);
  const bytesPerSpan = segment.readableBytes / (end - first);
  return Math.ceil(Math.min(bytes, spans * bytesPerSpan));
}

/** How long reads may fail before unreadable spans are given up. */
const READ_PATIENCE_MS = 60_000;

/** The free spans of a segment before `end`, and the bytes that they take about. */
interface FreePart {
  readonly segment: Segment;
  readonly end: number;
  readonly wantedBytes: number;
}

/** Reads the free spans of a segment. A removed one has none; a damaged one loses some. */
async function readFree(
  state: LogState,
  { segment, end, wantedBytes: wanted }: FreePart,
  visit: (request: StoredRequest) => boolean,
): Promise<void> {
  const [oldest] = leasableIn(segment, end);
  if (oldest === undefined) return;
  try {
    const start = { segment, sequence: oldest.first, wantedBytes: wanted };
    await readRequests(state, start, visit);
    segment.failingSinceMs = undefined;
  } catch (error) {
    if (!state.segments.includes(segment)) return;
    const nowMs = state.parts.clock.monotonicMs();
    segment.failingSinceMs ??= nowMs;
    const isDamaged = error instanceof BrokenRecordError;
    if (!isDamaged && nowMs - segment.failingSinceMs < READ_PATIENCE_MS) throw error;
    const lostSpans = await loseUnreadable(state, segment);
    if (!isDamaged && lostSpans === 0) throw error;
  }
}

function extentOfRequest({ firstSequence, spanCount }: StoredRequest): SequenceRange {
  return { first: firstSequence, end: firstSequence + spanCount };
}

/** Selects the spans that are still free from those read, and leases them. */
function selectSpans(
  state: LogState,
  { requests, end }: { readonly requests: readonly StoredRequest[]; readonly end: number },
  limit: SpanAmount,
): LogLease | undefined {
  const selection: Selection = { pieces: [], sequences: [], lengths: [], bytes: 0 };
  for (const request of requests) {
    const segment = segmentOf(state, request.firstSequence);
    if (segment === undefined) continue;
    const table = everySpan(messageOf(request));
    for (const range of leasableIn(segment, end, extentOfRequest(request))) {
      const part = fittingPart(selection, { request, table, range }, limit);
      selectPart(selection, { request, table, segment }, part);
      if (part.end < range.end) return leaseOf(selection);
    }
  }
  return leaseOf(selection);
}

interface Selection {
  readonly pieces: Uint8Array[];
  readonly sequences: number[];
  readonly lengths: number[];
  bytes: number;
}

/** Returns the part of a free range that the limit allows. */
function fittingPart(
  selection: Selection,
  from: { request: StoredRequest; table: SpanTable; range: SequenceRange },
  limit: SpanAmount,
): SequenceRange {
  const { request, table, range } = from;
  let spans = selection.sequences.length;
  let { bytes } = selection;
  let end = range.first;
  for (; end < range.end; end += 1) {
    bytes += table.spanLength[end - request.firstSequence]!;
    if (spans >= limit.spans || (spans > 0 && bytes > limit.bytes)) break;
    spans += 1;
  }
  return { first: range.first, end };
}

function selectPart(
  selection: Selection,
  { request, table, segment }: { request: StoredRequest; table: SpanTable; segment: Segment },
  { first, end }: SequenceRange,
): void {
  if (first === end) return;
  const range = { first: first - request.firstSequence, end: end - request.firstSequence };
  const isWhole = end - first === request.spanCount;
  const rows = rowsOf(table, range);
  selection.pieces.push(isWhole ? request.bytes : assembleRequest(messageOf(request), rows));
  let bytes = 0;
  for (let row = 0; row < rows.spanCount; row += 1) {
    selection.sequences.push(first + row);
    selection.lengths.push(rows.spanLength[row]!);
    bytes += rows.spanLength[row]!;
  }
  selection.bytes += bytes;
  addRange(segment.leased, { first, end });
  segment.leasedBytes += bytes;
}

function messageOf({ bytes }: StoredRequest) {
  return { bytes, offset: 0, length: bytes.length };
}

function leaseOf({ pieces, sequences, lengths }: Selection): LogLease | undefined {
  if (sequences.length === 0) return undefined;
  return {
    request: concatenate(pieces),
    sequences,
    lengthBytes: Uint32Array.from(lengths),
    settled: new Uint8Array(sequences.length),
  };
}
