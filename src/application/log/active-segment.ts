import { assert } from "../../domain/assert.ts";
import { CAUSES, extentOf, newSegment, type Segment } from "./segment.ts";
import type {
  ActiveSegment,
  LogRequest,
  LogState,
  PendingDeparture,
  PendingRequest,
} from "./log-state.ts";
import {
  CARRIED,
  DEPARTURE,
  encodedRangesBytes,
  encodeRanges,
  RECORD_HEAD_BYTES,
  recordBytes,
  type RecordFields,
  REQUEST,
  type Seal,
  segmentBytes,
  writeRecordHead,
  encodeSegmentHeader,
  segmentFileName,
  SEGMENT_HEADER_BYTES,
} from "./segment-file.ts";

/** A record to be written. */
export interface NewRecord {
  /** `syncedBytes` defaults to those of the segment that receives the record. */
  readonly fields: Omit<RecordFields, "syncedBytes" | "offsetBytes"> & { syncedBytes?: number };
  readonly payload: Uint8Array;
}

/**
 * Begins a new segment. Its header is written with its first records, so it costs no separate
 * write. The header is followed by all departures from older segments, including those not yet
 * written, so that no older file is needed to know them.
 */
export async function openSegment(state: LogState): Promise<ActiveSegment> {
  const { disk, random } = state.parts;
  const id = { number: state.nextNumber, salt: Math.floor(random() * 2 ** 32) };
  const name = segmentFileName(id);
  const segment = newSegment({ ...id, name, firstSequence: state.nextSequence });
  state.nextNumber += 1;
  const file = await disk.create(name);
  state.isDirectoryDirty = true;
  state.departures = [];
  const active = {
    segment,
    file,
    opening: openingOf(state, segment),
    writtenBytes: 0,
    writtenDeparture: 0,
    syncing: Promise.resolve(),
    failedSync: undefined,
  };
  state.segments.push(segment);
  state.active = active;
  return active;
}

/** Ends the active segment: nothing more is written to it. */
export function sealActive(state: LogState): void {
  const { active } = state;
  if (active === undefined) return;
  state.active = undefined;
  const { segment, failedSync } = active;
  const isForLater = failedSync === undefined && segment.syncedBytes < segment.readableBytes;
  if (isForLater && state.parts.settings.durability !== "disk") state.unsynced.push(active);
  else closeFile(active);
}

/**
 * Closes a file after the syncs in progress, which a closed descriptor would fail. Errors are
 * ignored: the sync before has reported them, or none was required.
 */
export function closeFile({ file, syncing }: ActiveSegment): void {
  const close = (): Promise<void> => file.close();
  syncing.then(close, close).catch(() => {});
}

/** Returns the bytes that `openSegment` adds to the first write. */
export function openingBytes({ segments }: LogState): number {
  return segments.reduce(
    (sum, { departed }) => sum + encodedRangesBytes(departed.length),
    SEGMENT_HEADER_BYTES,
  );
}

function openingOf(state: LogState, segment: Segment): Uint8Array[] {
  const { parts, segments } = state;
  const seal = sealOf(state, segment);
  const header = encodeSegmentHeader(
    {
      firstSequence: segment.firstSequence,
      previousEnd: state.acceptedEnd,
      openingBytes: openingBytes(state),
      runId: parts.runId,
      createdUnixMs: parts.unixMs(),
    },
    seal,
  );
  const carried = segments.map(carriedRecord);
  return [header, ...encodeRecords(carried, { at: header.length, syncedBytes: 0, seal })];
}

function carriedRecord(segment: Segment): NewRecord {
  const { first, end } = extentOf(segment);
  const fields = {
    type: CARRIED,
    cause: 0,
    firstSequence: first,
    spanCount: end - first,
    spanBytes: segment.departedBytes,
    value: segment.number,
    syncedBytes: segment.syncedBytes,
  };
  return { fields, payload: encodeRanges(segment.departed) };
}

export function departureRecord(departure: PendingDeparture): NewRecord {
  const { segment, cause, ranges, spanBytes } = departure;
  const fields = {
    type: DEPARTURE,
    cause: CAUSES.indexOf(cause),
    firstSequence: ranges[0]!.first,
    spanCount: ranges.reduce((sum, { first, end }) => sum + end - first, 0),
    spanBytes,
    value: segment.number,
  };
  return { fields, payload: encodeRanges(ranges) };
}

/**
 * Assigns sequences to requests. They are not visible before the commit. Sequences between two
 * requests are recorded as departed, so that a recovery does not miss them.
 */
export function requestRecords(
  state: LogState,
  { segment }: ActiveSegment,
  requests: readonly PendingRequest[],
): NewRecord[] {
  let { nextSequence } = state;
  return requests.flatMap(({ request }) => {
    const skipped = { first: nextSequence, end: request.sequence ?? nextSequence };
    nextSequence = skipped.end + request.spanCount;
    const record = requestRecord(request, skipped.end);
    if (skipped.first === skipped.end) return [record];
    assert(skipped.first < skipped.end, "sequences are never reused");
    const absent = { segment, cause: "taken", ranges: [skipped], spanBytes: 0 } as const;
    return [departureRecord(absent), record];
  });
}

function requestRecord(request: LogRequest, firstSequence: number): NewRecord {
  const { bytes, spanCount, spanBytes, unixMs } = request;
  const fields = { type: REQUEST, cause: 0, firstSequence, spanCount, spanBytes, value: unixMs };
  return { fields, payload: bytes };
}

/** Returns the maximum size of a request with the record of the sequences before it. */
export function maxRequestBytes({ bytes, sequence }: LogRequest): number {
  return recordBytes(bytes.length) + (sequence === undefined ? 0 : encodedRangesBytes(1));
}

export function sealOf({ parts: { checksum } }: LogState, { salt }: Segment): Seal {
  return { checksum, salt };
}

/** Up to this size, a copy is cheaper than another piece for the kernel to gather. */
const COPIED_PAYLOAD_BYTES = 4096;

/**
 * Encodes records as the pieces of one write that begins at `at`. Heads, zeros and small payloads
 * share one array; large payloads are pieces themselves and are not copied.
 */
export function encodeRecords(
  records: readonly NewRecord[],
  { at, syncedBytes, seal }: { at: number; syncedBytes: number; seal: Seal },
): Uint8Array[] {
  const heads = new Uint8Array(records.reduce((sum, each) => sum + ownBytes(each), 0));
  const into = segmentBytes(heads, at, seal);
  const pieces: Uint8Array[] = [];
  let [from, next, offsetBytes] = [0, 0, at];
  for (const { fields, payload } of records) {
    writeRecordHead(into, next, { syncedBytes, ...fields, offsetBytes }, payload);
    next += RECORD_HEAD_BYTES;
    if (payload.length <= COPIED_PAYLOAD_BYTES) {
      heads.set(payload, next);
      next += payload.length;
    } else {
      pieces.push(heads.subarray(from, next), payload);
      from = next;
    }
    next += recordBytes(payload.length) - RECORD_HEAD_BYTES - payload.length;
    offsetBytes += recordBytes(payload.length);
  }
  if (from < next) pieces.push(heads.subarray(from, next));
  return pieces;
}

/** Returns the bytes of a record that are not written as a separate piece. */
function ownBytes({ payload }: NewRecord): number {
  const isCopied = payload.length <= COPIED_PAYLOAD_BYTES;
  return recordBytes(payload.length) - (isCopied ? 0 : payload.length);
}
