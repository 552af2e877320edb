import type { SpanAmount } from "../../domain/ledger.ts";
import { everySpan } from "../../domain/wire/request-spans.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import {
  commonService,
  type KeptSpans,
  recordKept,
  type ServiceSpans,
  spanServices,
} from "../ring/ring-services.ts";
import type { MemoryWindow } from "./log-state.ts";
import { type StoredRequest, storedRequest, type VisitStored } from "./stored-request.ts";
import { visitRecords } from "./scan-segment.ts";
import { REQUEST, SEGMENT_HEADER_BYTES, type SegmentBytes } from "./segment-file.ts";
import { freeRanges, type Segment, storedIn } from "./segment.ts";
import { countSequences, gapsIn, type SequenceRange } from "./sequence-ranges.ts";
import { type SpilledSpans, sumByService } from "./spilled-spans.ts";

/** Shows the stored requests of a segment, whose bytes a start has just read, to the memory. */
export function showStored(
  memory: MemoryWindow | undefined,
  segment: Segment,
  file: SegmentBytes,
): void {
  const visit = storedIn(segment).spans === 0 ? undefined : memory?.found(segment);
  if (visit === undefined) return;
  const { departed, endSequence, readableBytes: end, broken } = segment;
  visitRecords(file, { from: SEGMENT_HEADER_BYTES, end, broken }, (record, at) => {
    if (record.type !== REQUEST || record.firstSequence >= endSequence) return;
    const request = storedRequest(file, at, record);
    const { firstSequence: first, spanCount } = request;
    const stored = gapsIn({ first, end: first + spanCount }, departed);
    if (stored.length > 0) visit(request, stored);
  });
}

/** The spans of one segment that are counted. */
interface CountedSegment {
  /** The sequence of the first of them, and the end of the segment. */
  readonly sequence: number;
  readonly end: number;
  readonly services: Map<number, KeptSpans>;
}

/** The log, which knows the segment of each stored span. */
interface SegmentExtents {
  extentOf(sequence: number): SequenceRange | undefined;
}

/**
 * The spans that a start finds and that memory has no room for. They are counted while their
 * segments are read anyway: newest first, after those that fill the memory.
 *
 *     oldest                                                        newest
 *     │ counted by service, not read again │ read again, into the ring │
 */
export class FoundSpans {
  // Fixed at construction.
  private readonly ring: ObservabilityBuffer;

  // Moved by each segment.
  private readonly counted: CountedSegment[] = [];
  /** Amount of the spans that are read again. */
  private readonly newer = { spans: 0, bytes: 0 };

  constructor(ring: ObservabilityBuffer) {
    this.ring = ring;
  }

  /** Receives a segment; see `MemoryWindow`. */
  found(segment: Segment): VisitStored | undefined {
    if (!isFull(this.ring, this.newer)) return void addStored(this.newer, segment);
    const counted = newCount(segment);
    this.counted.unshift(counted);
    return (request, stored) => countByService(this.ring, counted, { request, stored });
  }

  /**
   * Restores what was counted, and is still in the log, as spilled. Returns the sequence from which
   * on spans are to be read again.
   */
  restore(log: SegmentExtents, spilled: SpilledSpans): number {
    for (const each of this.counted) restoreCounted(this.ring, log, { each, spilled });
    return this.counted.at(-1)?.end ?? 0;
  }
}

function isFull(ring: ObservabilityBuffer, { spans, bytes }: SpanAmount): boolean {
  const { capacity } = ring.stats();
  return spans >= capacity.spans || bytes >= capacity.bytes;
}

/** Adds less than there may be if the segment is damaged, because its bytes are not known yet. */
function addStored(sum: { spans: number; bytes: number }, segment: Segment): void {
  const { spans, bytes } = storedIn(segment);
  sum.spans += spans;
  sum.bytes += segment.broken.length === 0 ? bytes : 0;
}

function newCount(segment: Segment): CountedSegment {
  const sequence = freeRanges(segment)[0]!.first;
  return { sequence, end: segment.endSequence, services: new Map() };
}

/** Counts stored spans of a request; returns true, to be shown the next one. */
function countByService(
  ring: ObservabilityBuffer,
  { services }: CountedSegment,
  { request, stored }: { request: StoredRequest; stored: readonly SequenceRange[] },
): boolean {
  const { unixMs } = request;
  for (const { service, spans, bytes } of storedByService(ring, request, stored)) {
    const known = services.get(service) ?? { spans: 0, bytes: 0, unixMs };
    services.set(service, {
      service,
      spans: known.spans + spans,
      bytes: known.bytes + bytes,
      unixMs: Math.max(known.unixMs, unixMs),
    });
  }
  return true;
}

/** Reads the spans one by one only if the record of the request does not have the amount. */
function storedByService(
  ring: ObservabilityBuffer,
  { bytes, firstSequence, spanCount, spanBytes }: StoredRequest,
  stored: readonly SequenceRange[],
): ServiceSpans[] {
  const isWhole = countSequences(stored) === spanCount;
  const service = isWhole ? ring.locked((memory) => commonService(memory, bytes)) : undefined;
  if (service !== undefined) return [{ service, spans: spanCount, bytes: spanBytes }];
  const table = everySpan({ bytes, offset: 0, length: bytes.length });
  const rows = ring.locked((memory) => spanServices(memory, { ...table, request: bytes }));
  return stored.flatMap(({ first, end }) =>
    sumByService(rows, table.spanLength, first - firstSequence, end - firstSequence),
  );
}

/** A segment may have been removed since, to make room for a new one. */
function restoreCounted(
  ring: ObservabilityBuffer,
  log: SegmentExtents,
  { each, spilled }: { each: CountedSegment; spilled: SpilledSpans },
): void {
  const extent = log.extentOf(each.sequence);
  if (extent === undefined) return;
  for (const kept of each.services.values()) {
    ring.locked((memory) => recordKept(memory, kept));
    spilled.add(extent.first, kept);
  }
}
