import { loseUnreadable } from "./damage.ts";
import type { LogState } from "./log-state.ts";
import { isSpent, type Segment, markBefore } from "./segment.ts";
import { gapsIn } from "./sequence-ranges.ts";
import { type StoredRequest, storedRequest, type VisitStored } from "./stored-request.ts";
import { sealOf } from "./active-segment.ts";
import {
  emptyRecord,
  hasRecordHead,
  readRecord,
  recordBytes,
  REQUEST,
  segmentBytes,
  type SegmentBytes,
  SEGMENT_HEADER_BYTES,
} from "./segment-file.ts";
import type { BrokenBytes } from "./scan-segment.ts";

interface ReadPosition {
  /** Receives the bytes of each read, because fresh memory costs more than the read itself. */
  readonly into: Uint8Array<ArrayBuffer>;
  /** The sequence to continue from. */
  sequence: number;
  isOver: boolean;
}

/** Visits stored requests from a sequence on, for example to fill a ring after a start. */
export async function readStored(state: LogState, from: number, visit: VisitStored): Promise<void> {
  const into = new Uint8Array(MAX_CHUNK_BYTES);
  const reading = { into, sequence: from, isOver: false };
  for (let segment = nextSegment(state, reading); segment !== undefined;) {
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    await readSegment(state, { segment, reading }, visit);
    segment = reading.isOver ? undefined : nextSegment(state, reading);
  }
}

function nextSegment({ segments }: LogState, { sequence }: ReadPosition): Segment | undefined {
  return segments.find((segment) => segment.endSequence > sequence && !isSpent(segment));
}

/**
 * Reads a segment. If it is removed meanwhile, the rest of it is skipped; if it is damaged, what
 * cannot be read is given up, and it is read again.
 */
async function readSegment(
  state: LogState,
  { segment, reading }: { segment: Segment; reading: ReadPosition },
  visit: VisitStored,
): Promise<void> {
  const { endSequence } = segment;
  try {
    const { sequence, into } = reading;
    const start = { segment, sequence, wantedBytes: Number.POSITIVE_INFINITY, into };
    await readRequests(state, start, (request) => {
      const extent = {
        first: request.firstSequence,
        end: request.firstSequence + request.spanCount,
      };
      const stored = gapsIn(extent, segment.departed);
      reading.sequence = extent.end;
      reading.isOver = stored.length > 0 && !visit(request, stored);
      return !reading.isOver;
    });
  } catch (error) {
    const isGone = !state.segments.includes(segment);
    if (!isGone && !(error instanceof BrokenRecordError)) throw error;
    if (!isGone) return void (await loseUnreadable(state, segment));
  }
  reading.sequence = Math.max(reading.sequence, endSequence);
}

/** Thrown if a segment has no intact record where one should be. */
export class BrokenRecordError extends Error {
  override name = "BrokenRecordError";
  readonly segment: Segment;

  constructor(segment: Segment, offsetBytes: number) {
    super(`${segment.name} is damaged at byte ${offsetBytes}`);
    this.segment = segment;
  }
}

/** Bounds of the bytes read at a time. A larger record is read alone. */
const MIN_CHUNK_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The position at which a read of a segment begins, and the number of bytes that it probably needs.
 */
export interface ReadStart {
  readonly segment: Segment;
  readonly sequence: number;
  readonly wantedBytes: number;
  /** Receives the bytes; if it is absent or too small, each read has memory of its own. */
  readonly into?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Visits the requests of a segment from a sequence on, in order, until `visit` returns false. It
 * reads only committed records, and checks each.
 */
export async function readRequests(
  state: LogState,
  { segment, sequence, wantedBytes, into }: ReadStart,
  visit: (request: StoredRequest) => boolean,
): Promise<void> {
  const record = emptyRecord();
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, wantedBytes));
  let at = markBefore(segment, sequence)?.offsetBytes ?? SEGMENT_HEADER_BYTES;
  while (at < segment.readableBytes) {
    const damage = damageAt(segment, at);
    at = damage?.endBytes ?? at;
    if (damage !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- each chunk begins where the last one ended
    const chunk = await readChunk(state, segment, { at, chunkBytes, into });
    let next = 0;
    for (; readRecord(chunk, next, record); next += recordBytes(record.payloadBytes)) {
      if (record.type !== REQUEST || record.firstSequence + record.spanCount <= sequence) continue;
      if (record.firstSequence >= segment.endSequence) return;
      const { firstSequence, value: unixMs } = record;
      segment.cursor = { sequence: firstSequence, offsetBytes: at + next, unixMs };
      if (!visit(storedRequest(chunk, next, record))) return;
    }
    if (next === 0) throw new BrokenRecordError(segment, at);
    at += next;
  }
}

function damageAt({ broken }: Segment, at: number): BrokenBytes | undefined {
  return broken.find(({ offsetBytes, endBytes }) => offsetBytes <= at && at < endBytes);
}

/** Reads the bytes from `at` on: some records, or one that is larger than a chunk. */
async function readChunk(
  state: LogState,
  segment: Segment,
  { at, chunkBytes, into }: { at: number; chunkBytes: number; into: ReadStart["into"] },
): Promise<SegmentBytes> {
  const damage = segment.broken.find(({ offsetBytes }) => offsetBytes > at);
  const restBytes = (damage?.offsetBytes ?? segment.readableBytes) - at;
  const chunk = await readBytes(state, segment, {
    at,
    bytes: Math.min(chunkBytes, restBytes),
    into,
  });
  if (!hasRecordHead(chunk, 0)) return chunk;
  const wholeBytes = recordBytes(chunk.view.getUint32(8, true));
  if (wholeBytes <= chunk.bytes.length || wholeBytes > restBytes) return chunk;
  return await readBytes(state, segment, { at, bytes: wholeBytes, into });
}

async function readBytes(
  state: LogState,
  segment: Segment,
  { at, bytes, into }: { at: number; bytes: number; into: ReadStart["into"] },
): Promise<SegmentBytes> {
  const isEnough = into !== undefined && into.length >= bytes;
  const target = isEnough ? into.subarray(0, bytes) : new Uint8Array(bytes);
  const length = await state.parts.disk.read(segment.name, at, target);
  return segmentBytes(target.subarray(0, length), at, sealOf(state, segment));
}
