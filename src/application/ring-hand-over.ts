import { assembleRequest } from "../domain/wire/assemble.ts";
import { concatenate } from "../domain/wire/concatenate.ts";
import { fieldRuns } from "../domain/wire/field-run.ts";
import { SPANS_FIELD } from "../domain/wire/otlp-schema.ts";
import { createSpanTable, type SpanTable } from "../domain/wire/span-table.ts";
import { bufferedSpans } from "./ring-ledger.ts";
import { FIRST_SEQUENCE, type RingMemory } from "./ring-memory.ts";
import { blockEndSequence, blockOf, slotOf } from "./ring-removal.ts";

/**
 * The oldest spans as the bytes of one request, copied out of the ring. Needs the lock.
 *
 * Encoded messages concatenate, so whole blocks, one behind the other, are a request as they are.
 * Only the first and the last block of a hand-over can be in part, and are assembled from slices.
 */
export function copyOldest(ring: RingMemory, spanCount: number): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const first = ring.control[FIRST_SEQUENCE]!;
  const end = first + Math.min(spanCount, bufferedSpans(ring));
  for (let sequence = first; sequence < end;) {
    const block = blockOf(ring, sequence);
    const blockEnd = Math.min(end, blockEndSequence(ring, block));
    pieces.push(blockBytes(ring, block, rangeOf(sequence, blockEnd)));
    sequence = blockEnd;
  }
  return concatenate(pieces);
}

/**
 * The spans of these sequences as the bytes of one request, in the order given, without those that
 * are gone. Needs the lock.
 */
export function copySpans(ring: RingMemory, sequences: readonly number[]): CopiedSpans {
  const first = ring.control[FIRST_SEQUENCE]!;
  const copied = sequences.filter((sequence) => sequence >= first);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < copied.length;) {
    const end = runEnd(ring, copied, at);
    pieces.push(blockBytes(ring, blockOf(ring, copied[at]!), copied.slice(at, end)));
    at = end;
  }
  return { request: concatenate(pieces), sequences: copied };
}

/** Spans, and the sequence of each, in the order of the request. */
export interface CopiedSpans {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
}

/** Where the run ends that can be copied in one piece: of one block, and in its order. */
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

function rangeOf(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

/** `sequences` are of this block, ascending. */
function blockBytes(ring: RingMemory, block: number, sequences: readonly number[]): Uint8Array {
  const [offset, length] = [ring.blockOffset[block]!, ring.blockLength[block]!];
  const isWhole = sequences.length === ring.blockSpans[block];
  if (isWhole) return ring.arena.subarray(offset, offset + length);
  return assembleRequest({ bytes: ring.arena, offset, length }, tableOf(ring, sequences));
}

/** The rows of the ring that belong to spans of one block, in order and without the turn. */
function tableOf(ring: RingMemory, sequences: readonly number[]): SpanTable {
  const spanCount = sequences.length;
  const table = createSpanTable(spanCount);
  let context = -1;
  for (table.spanCount = 0; table.spanCount < spanCount; table.spanCount += 1) {
    const slot = slotOf(ring, sequences[table.spanCount]!);
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
 * Looks through a scope once and for all, so that a reader who takes its spans one by one does not
 * pay for all of them each time.
 */
function findSpans(ring: RingMemory, context: number): void {
  const [offset, length] = [ring.scopeOffset[context]!, ring.scopeLength[context]!];
  const runs = fieldRuns({ bytes: ring.arena, offset, length }, SPANS_FIELD);
  if (runs.length > 1) return;
  ring.spansStart[context] = runs[0]!.start;
  ring.spansEnd[context] = runs[0]!.end;
}
