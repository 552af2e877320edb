import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { loseUnreadable } from "./damage.ts";
import { type SpanAmount, extentOf, freeIn, type Segment } from "./segment.ts";
import type { LogState } from "./log-state.ts";
import {
  BrokenRecordError,
  MAX_CHUNK_BYTES,
  memoryIn,
  type ReadMemory,
  readRequests,
} from "./read-stored.ts";
import type { StoredRequest } from "./stored-request.ts";
import {
  extentOfRequest,
  leasableIn,
  type LogLease,
  type RequestSpans,
  selectSpans,
  spansOf,
} from "./select-spans.ts";
import { countSequences } from "./sequence-ranges.ts";

export type { LogLease };

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
      freeLeaseMemory(state);
      found(undefined);
      return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- the spans may have departed meanwhile
    const requests = await readOldest(state, limit, end);
    const isStale = staleCount !== state.staleCount;
    const lease = isStale ? undefined : selectSpans(state, { requests, end }, limit);
    // The lease has copies. Without this, a fast reader would fill memory with what it has read.
    for (const { request } of requests) releaseUnlessReused(state, request.bytes);
    if (isStale) continue;
    if (lease !== undefined) found(lease);
    if (lease !== undefined) return lease;
    // oxlint-disable-next-line no-await-in-loop -- spans that cannot be found are lost and skipped
    if (requests.length === 0) await loseMissing(state, end);
  }
}

/**
 * Returns memory for the reads of one lease. The first one gets memory that all leases share, one
 * after the other; most leases need no more.
 */
function memoryForLease(state: LogState): ReadMemory {
  let isUsed = false;
  return (bytes) => {
    if (isUsed || bytes > MAX_CHUNK_BYTES) return new Uint8Array(bytes);
    isUsed = true;
    state.leaseMemory ??= new Uint8Array(MAX_CHUNK_BYTES);
    return memoryIn(state.leaseMemory, bytes);
  };
}

function freeLeaseMemory(state: LogState): void {
  if (state.leaseMemory !== undefined) releaseOwnBuffer(state.leaseMemory);
  state.leaseMemory = undefined;
}

function releaseUnlessReused({ leaseMemory }: LogState, bytes: Uint8Array): void {
  if (bytes.buffer !== leaseMemory?.buffer) releaseOwnBuffer(bytes);
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

/** Gives up spans that are in no record of the oldest segment with free spans. */
async function loseMissing(state: LogState, end: number): Promise<void> {
  const segment = state.segments.find((each) => hasLeasable(each, end));
  if (segment === undefined) return;
  const lostSpans = await loseUnreadable(state, segment);
  if (lostSpans === 0) throw new Error(`${segment.name} cannot be read`);
}

/**
 * Reads requests with the oldest free spans until the limit is reached; in bytes, by the whole
 * requests, so that those with few free spans cannot fill memory.
 */
async function readOldest(
  state: LogState,
  limit: SpanAmount,
  end: number,
): Promise<RequestSpans[]> {
  const requests: RequestSpans[] = [];
  const memory = memoryForLease(state);
  const wanted = { spans: limit.spans, bytes: limit.bytes };
  for (const segment of state.segments.filter((each) => hasLeasable(each, end))) {
    if (wanted.spans <= 0 || wanted.bytes <= 0) break;
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    await readFree(
      state,
      { segment, end, wantedBytes: wantedBytes(segment, wanted), memory },
      (request) => {
        const freeSpans = countSequences(leasableIn(segment, end, extentOfRequest(request)));
        if (freeSpans === 0) return true;
        // At once, because its bytes are in the cache of the processor.
        requests.push(spansOf(state, request));
        wanted.spans -= freeSpans;
        wanted.bytes -= request.spanBytes;
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
  readonly memory: ReadMemory;
}

/** Reads the free spans of a segment. A removed one has none; a damaged one loses some. */
async function readFree(
  state: LogState,
  { segment, end, wantedBytes: wanted, memory }: FreePart,
  visit: (request: StoredRequest) => boolean,
): Promise<void> {
  const [oldest] = leasableIn(segment, end);
  if (oldest === undefined) return;
  try {
    const start = { segment, sequence: oldest.first, wantedBytes: wanted, memory };
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
