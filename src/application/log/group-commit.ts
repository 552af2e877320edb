import {
  maxRequestBytes,
  openingBytes,
  openSegment,
  requestRecords,
  sealActive,
} from "./active-segment.ts";
import {
  needsDepartureSync,
  recordsLength,
  syncSegment,
  syncDepartures,
  writeRecords,
} from "./write-records.ts";
import { countAccepted, markRequest, type Segment } from "./segment.ts";
import type {
  ActiveSegment,
  AppendOutcome,
  LogRequest,
  LogState,
  PendingRequest,
} from "./log-state.ts";
import { encodedRangesBytes, recordBytes, SEGMENT_HEADER_BYTES } from "./segment-file.ts";
import { addRange } from "./sequence-ranges.ts";
import {
  breakOff,
  currentFailure,
  FIRST_DELAY_MS,
  acceptsIntoMemory,
  keepInMemory,
  noteSuccess,
} from "./disk-failure.ts";
import { acknowledge, bytesOfRequest, resolveAll } from "./pending-requests.ts";
import { makeRoom, NoRoomError, removeSpent, reservedBytes, type Room } from "./retention.ts";

const FULL = "the disk buffer is full and OVERFLOW_POLICY is refuse; retry later";
const SLOW = "too many requests are waiting for the disk; retry later";
const CLOSED = "the log is closed; retry later";
/** Queues a request for the next group. Resolves once its outcome is known. */
export function enqueue(state: LogState, request: LogRequest): Promise<AppendOutcome> {
  const bytes = maxRequestBytes(request);
  const refusal = refusalOf(state, bytes);
  if (refusal !== undefined) return Promise.resolve(refusal);
  const { promise, resolve, reject } = Promise.withResolvers<AppendOutcome>();
  state.queue.push({ request, resolve, reject });
  state.queuedBytes += bytes;
  startWriting(state);
  return promise;
}

function refusalOf(state: LogState, bytes: number): AppendOutcome | undefined {
  const { maxDiskBytes, maxQueuedBytes, overflowPolicy } = state.parts.settings;
  const limitBytes = maxDiskBytes - reservedBytes(maxDiskBytes);
  if (state.isClosed) return { outcome: "failed", message: CLOSED, retryAfterMs: FIRST_DELAY_MS };
  if (bytes + SEGMENT_HEADER_BYTES > limitBytes) return { outcome: "too_large" };
  const failure = currentFailure(state);
  if (failure !== undefined && !acceptsIntoMemory(state)) return failure;
  const isQueueFull = state.queue.length > 0 && state.queuedBytes + bytes > maxQueuedBytes;
  if (isQueueFull) return { outcome: "refused", message: SLOW };
  const isFull = state.usedBytes + state.queuedBytes + bytes > limitBytes;
  if (isFull && overflowPolicy === "refuse" && state.doomed.length === 0)
    return { outcome: "refused", message: FULL };
  return undefined;
}

/**
 * Writes the queue group by group until it is empty. It needs no timers: while a group is written
 * and synced, requests queue, and the next group takes all of them. A request therefore waits for
 * two syncs at most, and a slower disk makes larger groups.
 */
export function startWriting(state: LogState): void {
  state.writing ??= writeWaiting(state);
}

async function writeWaiting(state: LogState): Promise<void> {
  // Requests that arrive in this turn of the event loop join the first group.
  await Promise.resolve();
  while (hasWork(state)) {
    if (acceptsIntoMemory(state)) keepInMemory(state);
    // oxlint-disable-next-line no-await-in-loop -- a file grows at one end only
    else await writeGroup(state, takeGroup(state));
  }
  removeSpent(state);
  state.writing = undefined;
}

function hasWork(state: LogState): boolean {
  if (currentFailure(state) !== undefined)
    return acceptsIntoMemory(state) && state.queue.length > 0;
  if (state.queue.length > 0 || state.departures.length > 0) return true;
  return state.parts.settings.durability !== "process" && needsDepartureSync(state);
}

/** Requests that are written and synced together. */
interface Group {
  readonly requests: readonly PendingRequest[];
  readonly requestBytes: number;
  /** Whether the active segment has no room for the first of them. */
  readonly isForNewSegment: boolean;
}

/** Takes the requests that fit into the active segment, or else into a new one. */
function takeGroup(state: LogState): Group {
  const { segmentBytes } = state.parts.settings;
  const { active, queue } = state;
  const firstBytes = queue.length > 0 ? bytesOfRequest(queue[0]!) : 0;
  const rest = active === undefined ? 0 : segmentBytes - active.writtenBytes;
  const isForNewSegment = active === undefined || firstBytes > rest;
  const room = isForNewSegment ? segmentBytes - openingBytes(state) : rest;
  let count = 0;
  let requestBytes = 0;
  for (const pending of queue) {
    const bytes = bytesOfRequest(pending);
    if (count > 0 && requestBytes + bytes > room) break;
    requestBytes += bytes;
    count += 1;
  }
  return { requests: queue.splice(0, count), requestBytes, isForNewSegment };
}

/** Writes a group in one write and one sync, and acknowledges it in order, or fails all of it. */
async function writeGroup(state: LogState, group: Group): Promise<void> {
  const { requests, requestBytes } = group;
  try {
    await makeRoom(state, roomFor(state, group), async () => await syncDepartures(state));
    const active = await usableSegment(state, group);
    const records = requestRecords(state, active, requests);
    await writeRecords(state, active, records);
    // At level `process`, a concurrent sync has failed: the data of the segment cannot be saved.
    if (active.failedSync !== undefined) throw active.failedSync;
    if (mustSync(state, group)) await syncSegment(state, active);
    commit(state, { active, bytes: recordsLength(records) }, requests);
  } catch (error) {
    if (error instanceof NoRoomError) giveUp(state, requests);
    else breakOff(state, error, requests);
  } finally {
    state.queuedBytes -= requestBytes;
  }
  removeSpent(state);
}

/** Begins the first segment of a run, which verifies that the log can be written. */
export async function writeOpening(state: LogState): Promise<void> {
  await writeGroup(state, { requests: [], requestBytes: 0, isForNewSegment: true });
}

/** Returns the room for a group. Requests leave a reserve for departures. */
function roomFor({ parts }: LogState, { requestBytes, isForNewSegment }: Group): Room {
  const { maxDiskBytes } = parts.settings;
  const reserved = requestBytes > 0 ? reservedBytes(maxDiskBytes) : 0;
  return { requestBytes, isForNewSegment, limitBytes: maxDiskBytes - reserved };
}

async function usableSegment(state: LogState, { isForNewSegment }: Group): Promise<ActiveSegment> {
  if (isForNewSegment || state.active?.failedSync !== undefined) sealActive(state);
  return state.active ?? (await openSegment(state));
}

function mustSync(state: LogState, { requests, isForNewSegment }: Group): boolean {
  const { durability } = state.parts.settings;
  if (requests.length > 0) return durability === "disk";
  return isForNewSegment || (durability !== "process" && needsDepartureSync(state));
}

/** Makes the spans part of the log: they get their sequences and become visible. */
function commit(
  state: LogState,
  { active, bytes }: { readonly active: ActiveSegment; readonly bytes: number },
  requests: readonly PendingRequest[],
): void {
  const { segment } = active;
  const { segmentBytes } = state.parts.settings;
  let offsetBytes = active.writtenBytes - bytes;
  segment.readableBytes = active.writtenBytes;
  if (state.active === active) noteSuccess(state);
  const sequences = requests.map(({ request }) => {
    offsetBytes += skip(state, segment, request);
    const sequence = state.nextSequence;
    markRequest(segment, { sequence, offsetBytes, unixMs: request.unixMs }, segmentBytes);
    accept(state, active, request);
    offsetBytes += recordBytes(request.bytes.length);
    return sequence;
  });
  for (const [at, pending] of requests.entries()) {
    acknowledge(pending, { outcome: "logged", firstSequence: sequences[at]! });
  }
}

/** Continues with the sequence of a request; returns the size of the record that says so. */
function skip(state: LogState, segment: Segment, { sequence }: LogRequest): number {
  const { nextSequence: first } = state;
  if (sequence === undefined || sequence === first) return 0;
  addRange(segment.departed, { first, end: sequence });
  state.nextSequence = sequence;
  return encodedRangesBytes(1);
}

function accept(state: LogState, { segment }: ActiveSegment, request: LogRequest): void {
  state.nextSequence += request.spanCount;
  state.acceptedEnd = segment.endSequence = state.nextSequence;
  segment.spanBytes += request.spanBytes;
  countAccepted(state.ledgers, { spans: request.spanCount, bytes: request.spanBytes });
}

/**
 * Refuses requests for which no room can be made. The next segment carries the departures. A spent
 * segment is removed even if they cannot be written, because that makes room.
 */
function giveUp(state: LogState, requests: readonly PendingRequest[]): void {
  resolveAll(requests, { outcome: "refused", message: FULL });
  state.isBlocked = state.active === undefined;
  if (requests.length > 0) return;
  state.departures = [];
  state.syncedDeparture = state.departureCount;
}
