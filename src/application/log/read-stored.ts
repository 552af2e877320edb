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
  readonly memory: ReadMemory;
  /** The sequence to continue from. */
  sequence: number;
  isOver: boolean;
}

/** Visits stored requests from a sequence on, for example to fill a ring after a start. */
export async function readStored(state: LogState, from: number, visit: VisitStored): Promise<void> {
  const reused = new Uint8Array(MAX_CHUNK_BYTES);
  const memory = (bytes: number) => memoryIn(reused, bytes);
  const reading = { memory, sequence: from, isOver: false };
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
    const { sequence, memory } = reading;
    const start = { segment, sequence, wantedBytes: Number.POSITIVE_INFINITY, memory };
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
export const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The position at which a read of a segment begins, and the number of bytes that it probably needs.
 */
export interface ReadStart {
  readonly segment: Segment;
  readonly sequence: number;
  readonly wantedBytes: number;
  readonly memory: ReadMemory;
}

/** Returns memory for a read of this many bytes. Fresh memory costs more than the read itself. */
export type ReadMemory = (bytes: number) => Uint8Array<ArrayBuffer>;

/** Returns the beginning of this memory, or new memory if it is too small. */
export function memoryIn(reused: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  return reused.length < bytes ? new Uint8Array(bytes) : reused.subarray(0, bytes);
}

/**
 * Visits the requests of a segment from a sequence on, in order, until `visit` returns false. It
 * reads only committed records, and checks each.
 */
export async function readRequests(
  state: LogState,
  { segment, sequence, wantedBytes, memory }: ReadStart,
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
    const chunk = await readChunk(state, segment, { at, chunkBytes, memory });
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
  { at, chunkBytes, memory }: { at: number; chunkBytes: number; memory: ReadMemory },
): Promise<SegmentBytes> {
  const damage = segment.broken.find(({ offsetBytes }) => offsetBytes > at);
  const restBytes = (damage?.offsetBytes ?? segment.readableBytes) - at;
  const bytes = Math.min(chunkBytes, restBytes);
  const chunk = await readBytes(state, segment, { at, into: memory(bytes) });
  if (!hasRecordHead(chunk, 0)) return chunk;
  const wholeBytes = recordBytes(chunk.view.getUint32(8, true));
  if (wholeBytes <= chunk.bytes.length || wholeBytes > restBytes) return chunk;
  return await readBytes(state, segment, { at, into: memory(wholeBytes) });
}

async function readBytes(
  state: LogState,
  segment: Segment,
  { at, into }: { at: number; into: Uint8Array<ArrayBuffer> },
): Promise<SegmentBytes> {
  const length = await state.parts.disk.read(segment.name, at, into);
  return segmentBytes(into.subarray(0, length), at, sealOf(state, segment));
}
