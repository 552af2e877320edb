import { assembleRequest, concatenate } from "../../domain/wire/assemble.ts";
import { fieldRuns } from "../../domain/wire/field-scan.ts";
import { SPANS_FIELD } from "../../domain/wire/otlp-tags.ts";
import { createSpanTable, type SpanTable } from "../../domain/wire/request-spans.ts";
import { releaseOwnBuffer } from "./release-bytes.ts";
import { type RingMemory, FIRST_SEQUENCE, GONE, NEXT_SEQUENCE } from "./ring-memory.ts";
import {
  blockEndSequence,
  blockOf,
  isBuffered,
  oldestFree,
  oldestBuffered,
  slotsOf,
  takeBefore,
  slotOf,
} from "./ring-removal.ts";
import type {
  CopiedSpans,
  OldestSpans,
  SequenceRange,
  Search,
  Visit,
} from "../../ports/trace-buffer.ts";
import type { SpanLocation, FieldsOf } from "../../domain/query/span-matcher.ts";
import { MARK_BITS } from "../../domain/query/trace-matcher.ts";
import { createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";

/**
 * Copies the spans with these sequences into one request, in the given order, skipping those that
 * have left. Needs the lock.
 *
 * Concatenated protobuf messages merge into one, so whole blocks form a request unchanged. Only the
 * spans of a partly requested block are assembled from slices.
 */
export function copySpans(ring: RingMemory, sequences: readonly number[]): CopiedSpans {
  return copyBuffered(
    ring,
    sequences.filter((sequence) => isBuffered(ring, sequence)),
  );
}

/** Copies spans that are all known to be buffered. */
export function copyBuffered(ring: RingMemory, copied: readonly number[]): CopiedSpans {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < copied.length;) {
    const end = runEnd(ring, copied, at);
    pieces.push(blockBytes(ring, blockOf(ring, copied[at]!), copied.slice(at, end)));
    at = end;
  }
  const request = concatenate(pieces);
  // Assembled pieces may be as large as the ring, and are not needed any more.
  for (const piece of pieces) if (piece.buffer !== ring.arena.buffer) releaseOwnBuffer(piece);
  return { request, sequences: copied };
}

/** Copies the oldest buffered spans, including leased ones. */
export function copyOldest(ring: RingMemory, spanCount: number): OldestSpans {
  const sequences = oldestBuffered(ring, spanCount);
  return { ...copyBuffered(ring, sequences), range: rangeOfOldest(ring, sequences, spanCount) };
}

/** Removes the oldest free spans. Copies them first, so a copy that fails loses none. */
export function takeOldest(ring: RingMemory, spanCount: number): OldestSpans {
  const sequences = oldestFree(ring, { spans: spanCount, bytes: Number.POSITIVE_INFINITY });
  const range = rangeOfOldest(ring, sequences, spanCount);
  const copied = copyBuffered(ring, sequences);
  if (sequences.length > 0) takeBefore(ring, sequences.at(-1)! + 1);
  return { ...copied, range };
}

/**
 * Returns the range that was examined: up to the last span found, or to the end of the ring when
 * fewer than wanted were found.
 */
function rangeOfOldest(
  ring: RingMemory,
  sequences: readonly number[],
  wantedCount: number,
): SequenceRange {
  const { first, next } = bufferedRange(ring);
  if (sequences.length < wantedCount) return { first, next };
  return { first, next: (sequences.at(-1) ?? first - 1) + 1 };
}

/** Returns the end of the run that can be copied in one piece: spans of one block, ascending. */
function runEnd(ring: RingMemory, sequences: readonly number[], at: number): number {
  const blockEnd = blockEndSequence(ring, blockOf(ring, sequences[at]!));
  let end = at + 1;
  while (end < sequences.length && isBetween(sequences[end - 1]!, sequences[end]!, blockEnd)) {
    end += 1;
  }
  return end;
}

function isBetween(low: number, value: number, high: number): boolean {
  return low < value && value < high;
}

/** Returns the bytes of these spans, which ascend within one block. */
function blockBytes(ring: RingMemory, block: number, sequences: readonly number[]): Uint8Array {
  const [offset, length] = [ring.blockOffset[block]!, ring.blockLength[block]!];
  const isWhole = sequences.length === ring.blockSpans[block];
  if (isWhole) return ring.arena.subarray(offset, offset + length);
  return assembleRequest({ bytes: ring.arena, offset, length }, tableOf(ring, sequences));
}

/** Copies the rows of one block's spans into a table, in order, without the wrap-around. */
function tableOf(ring: RingMemory, sequences: readonly number[]): SpanTable {
  const spanCount = sequences.length;
  const table = createSpanTable(spanCount);
  const slots = slotsOf(ring, sequences);
  let context = -1;
  for (table.spanCount = 0; table.spanCount < spanCount; table.spanCount += 1) {
    const slot = slots[table.spanCount]!;
    if (ring.slotContext[slot] !== context) {
      context = ring.slotContext[slot]!;
      addContext(ring, table, context);
    }
    table.spanOffset[table.spanCount] = ring.slotOffset[slot]!;
    table.spanLength[table.spanCount] = ring.slotLength[slot]!;
    table.spanContext[table.spanCount] = table.contextCount - 1;
  }
  return table;
}

function addContext(ring: RingMemory, table: SpanTable, context: number): void {
  const row = table.contextCount;
  table.resourceOffset[row] = ring.resourceOffset[context]!;
  table.resourceLength[row] = ring.resourceLength[context]!;
  table.scopeOffset[row] = ring.scopeOffset[context]!;
  table.scopeLength[row] = ring.scopeLength[context]!;
  if (ring.spansEnd[context] === 0) findSpans(ring, context);
  table.spansStart[row] = ring.spansStart[context]!;
  table.spansEnd[row] = ring.spansEnd[context]!;
  table.contextCount = row + 1;
}

/**
 * Finds the run of spans in a scope once, so that a reader who takes spans one by one does not pay
 * for a full scan each time.
 */
function findSpans(ring: RingMemory, context: number): void {
  const [offset, length] = [ring.scopeOffset[context]!, ring.scopeLength[context]!];
  const runs = fieldRuns({ bytes: ring.arena, offset, length }, SPANS_FIELD);
  if (runs.length > 1) return;
  ring.spansStart[context] = runs[0]!.start;
  ring.spansEnd[context] = runs[0]!.end;
}

export function bufferedRange({ control }: RingMemory): SequenceRange {
  return { first: control[FIRST_SEQUENCE]!, next: control[NEXT_SEQUENCE]! };
}

/** Returns when the oldest span was received, leased or free; undefined for an empty ring. */
export function oldestUnixMs(ring: RingMemory): number | undefined {
  const { first, next } = bufferedRange(ring);
  return first === next ? undefined : ring.blockUnixMs[blockOf(ring, first)]!;
}

/**
 * Calls `visit` with each matching span of a range. Needs the lock throughout, so callers search a
 * large ring in pieces.
 */
export function visitSpans(ring: RingMemory, search: Search, visit: Visit): void {
  const { matcher, newestFirst } = search;
  const buffered = bufferedRange(ring);
  const first = Math.max(search.range.first, buffered.first);
  const next = Math.min(search.range.next, buffered.next);
  const location = {
    bytes: ring.arena,
    spanOffset: 0,
    spanLength: 0,
    resourceOffset: 0,
    resourceLength: 0,
    traceTail: 0,
  };
  const { traceTail, tailMarks } = matcher;
  const { slotTraceTail, slotState, capacitySpans } = ring;
  const step = newestFirst ? -1 : 1;
  let sequence = newestFirst ? next - 1 : first;
  let slot = slotOf(ring, Math.max(0, sequence));
  matcher.reset();
  for (let left = next - first; left > 0; left -= 1) {
    // One column holds the tails of all trace ids, so spans of other traces are skipped cheaply.
    const tail = slotTraceTail[slot]!;
    const isWanted =
      tailMarks === undefined
        ? traceTail === undefined || tail === traceTail
        : tailMarks[tail & MARK_BITS] === 1;
    if (isWanted && slotState[slot] !== GONE) {
      moveTo(ring, slot, location);
      if (matcher.matches(location) && !visit(sequence, location)) return;
    }
    sequence += step;
    slot += step;
    if (slot === capacitySpans) slot = 0;
    else if (slot < 0) slot = capacitySpans - 1;
  }
}

function moveTo(ring: RingMemory, slot: number, location: SpanLocation): void {
  const context = ring.slotContext[slot]!;
  location.spanOffset = ring.slotOffset[slot]!;
  location.spanLength = ring.slotLength[slot]!;
  location.resourceOffset = ring.resourceOffset[context]!;
  location.resourceLength = ring.resourceLength[context]!;
  location.traceTail = ring.slotTraceTail[slot]!;
}

const UNKNOWN = -1;

/** Reads the fields of a span once, for all filters that use them. */
export class SharedFields {
  private readonly fields = createSpanFields();
  private spanOffset = UNKNOWN;

  /** Returns the fields of the span at a location, valid until the next call. */
  readonly of: FieldsOf = (location) => {
    if (location.spanOffset !== this.spanOffset) this.read(location);
    return this.fields;
  };

  /** Must be called when the bytes may have changed since the last call. */
  reset(): void {
    this.spanOffset = UNKNOWN;
  }

  private read({ bytes, spanOffset, spanLength }: SpanLocation): void {
    readSpanFields(this.fields, bytes, spanOffset, spanLength);
    this.spanOffset = spanOffset;
  }
}
