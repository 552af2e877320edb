import { everySpan, rowsOf } from "../../domain/wire/request-spans.ts";
import type { Disk } from "../../ports/disk.ts";
import { sealOf } from "./active-segment.ts";
import { depart } from "./write-records.ts";
import type { LeftSpans, LogState } from "./log-state.ts";
import {
  RECORD_HEAD_BYTES,
  REQUEST,
  segmentBytes,
  type SegmentBytes,
  SEGMENT_HEADER_BYTES,
} from "./segment-file.ts";
import { type BrokenBytes, scanSegment, visitRecords } from "./scan-segment.ts";
import { extentOf, freeIn, freeRanges, type Segment } from "./segment.ts";
import { addRange, countSequences, gapsIn, type SequenceRange } from "./sequence-ranges.ts";

const PART_BYTES = 256 * 1024;
const READ_ATTEMPTS = 3;

/**
 * Reads a file of this length into the beginning of `into`. A part that the disk cannot read
 * becomes zeros, and so counts as damaged. Throws if no part can be read.
 */
export async function readFile(
  disk: Disk,
  { name, bytes }: { readonly name: string; readonly bytes: number },
  into: Uint8Array,
): Promise<Uint8Array> {
  const file = into.subarray(0, bytes);
  try {
    // Nearly every file can be read in one go, which is fastest.
    file.fill(0, await disk.read(name, 0, file));
  } catch {
    await readParts(disk, name, file.fill(0));
  }
  return file;
}

async function readParts(disk: Disk, name: string, file: Uint8Array): Promise<void> {
  let [readBytes, failure]: [number, unknown] = [0, undefined];
  for (let at = 0; at < file.length; at += PART_BYTES) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- part by part, so that a bad one costs little
      readBytes += await readPart(disk, { name, at }, file.subarray(at, at + PART_BYTES));
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined && readBytes === 0) throw failure;
}

/** Reads a part in several attempts, so that a temporary error loses no spans. */
async function readPart(
  disk: Disk,
  { name, at }: { readonly name: string; readonly at: number },
  into: Uint8Array,
  attempts = READ_ATTEMPTS,
): Promise<number> {
  try {
    return await disk.read(name, at, into);
  } catch (error) {
    if (attempts === 1) throw error;
    return await readPart(disk, { name, at }, into, attempts - 1);
  }
}

/** A request whose record is intact. */
export interface IntactRequest extends SequenceRange {
  readonly at: number;
  readonly payloadBytes: number;
  readonly spanBytes: number;
}

/** Returns the accepted requests of a segment that can be read. */
export function intactRequests(
  file: SegmentBytes,
  { endSequence, readableBytes }: Segment,
  broken: readonly BrokenBytes[],
): IntactRequest[] {
  const requests: IntactRequest[] = [];
  const range = { from: SEGMENT_HEADER_BYTES, end: readableBytes, broken };
  visitRecords(file, range, (record, at) => {
    const { type, firstSequence: first, spanCount, payloadBytes, spanBytes } = record;
    if (type !== REQUEST || first >= endSequence) return;
    requests.push({ first, end: first + spanCount, at, payloadBytes, spanBytes });
  });
  return requests;
}

/** Returns the size of the free spans in these requests. */
export function freeBytesIn(
  file: SegmentBytes,
  segment: Segment,
  requests: readonly IntactRequest[],
): number {
  return requests.reduce((sum, request) => {
    const free = freeRanges(segment, request);
    const isWhole = countSequences(free) === request.end - request.first;
    return sum + (isWhole ? request.spanBytes : partialBytes(file, request, free));
  }, 0);
}

function partialBytes(
  { bytes }: SegmentBytes,
  { first, at, payloadBytes }: IntactRequest,
  free: readonly SequenceRange[],
): number {
  if (free.length === 0) return 0;
  const table = everySpan({ bytes, offset: at + RECORD_HEAD_BYTES, length: payloadBytes });
  const parts = free.map((range) =>
    rowsOf(table, { first: range.first - first, end: range.end - first }),
  );
  return parts.reduce(
    (sum, { spanLength }) => sum + spanLength.reduce((total, length) => total + length, 0),
    0,
  );
}

export function rangesOf(requests: readonly IntactRequest[]): SequenceRange[] {
  const ranges: SequenceRange[] = [];
  for (const { first, end } of requests) addRange(ranges, { first, end });
  return ranges;
}

/**
 * Gives up the free spans of a segment that turned out to be unreadable and are not in memory; they
 * count as evicted. Records after the damage are found again. Returns the number of lost spans.
 */
export async function loseUnreadable(state: LogState, segment: Segment): Promise<number> {
  const { memory, watcher } = state.parts;
  const { before, file } = await readWhole(state, segment);
  if (!state.segments.includes(segment)) return 0;
  const { broken } = scanSegment(file, SEGMENT_HEADER_BYTES);
  const requests = intactRequests(file, before, broken);
  // Spans that were appended during the read are not in its result, and not lost.
  const extent = extentOf(before);
  const missing = gapsIn(extent, segment.departed, segment.leased, rangesOf(requests));
  const kept = missing.flatMap((range) => commonRange(range, memory?.range()));
  const appendedBytes = segment.spanBytes - before.spanBytes;
  const freeBytes = freeIn(segment).bytes - appendedBytes;
  const missingBytes = missing.length === 0 ? 0 : freeBytes - freeBytesIn(file, segment, requests);
  const keptBytes = kept.reduce((sum, range) => sum + memory!.freeBytes(range), 0);
  const lost = missing.flatMap((range) => gapsIn(range, kept));
  segment.broken = broken;
  state.staleCount += 1;
  depart(state, { segment, cause: "evicted", ranges: lost, spanBytes: missingBytes - keptBytes });
  const lostSpans = countSequences(lost);
  const left = memory === undefined ? [] : leftSpans(file, segment, requests, memory.range().first);
  watcher.damaged({
    segment: segment.name,
    firstSequence: segment.firstSequence,
    lostSpans,
    left,
  });
  return lostSpans;
}

/**
 * Reads all committed bytes of a segment; again if spans that were appended meanwhile have left the
 * memory, because then their requests are needed too.
 */
async function readWhole(state: LogState, segment: Segment) {
  for (;;) {
    const before = { ...segment };
    const size = { name: segment.name, bytes: before.readableBytes };
    // oxlint-disable-next-line no-await-in-loop -- a segment has a maximum size
    const bytes = await readFile(state.parts.disk, size, new Uint8Array(size.bytes));
    const first = state.parts.memory?.range().first ?? 0;
    const isComplete = segment.endSequence === before.endSequence || first <= before.endSequence;
    if (isComplete) return { before, file: segmentBytes(bytes, 0, sealOf(state, segment)) };
  }
}

function commonRange(
  { first, end }: SequenceRange,
  memory: { readonly first: number; readonly next: number } | undefined,
): SequenceRange[] {
  if (memory === undefined) return [];
  const common = { first: Math.max(first, memory.first), end: Math.min(end, memory.next) };
  return common.first < common.end ? [common] : [];
}

/** Returns the requests with free spans before a sequence, as views of the file. */
function leftSpans(
  { bytes }: SegmentBytes,
  segment: Segment,
  requests: readonly IntactRequest[],
  before: number,
): LeftSpans[] {
  return requests.flatMap(({ first, end, at, payloadBytes }) => {
    const free = freeRanges(segment, { first, end: Math.min(end, before) });
    if (free.length === 0) return [];
    const payloadAt = at + RECORD_HEAD_BYTES;
    return [
      {
        request: bytes.subarray(payloadAt, payloadAt + payloadBytes),
        spanCount: end - first,
        ranges: free.map((range) => ({ first: range.first - first, end: range.end - first })),
      },
    ];
  });
}
