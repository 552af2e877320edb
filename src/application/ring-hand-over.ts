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
    pieces.push(blockBytes(ring, block, { first: sequence, end: blockEnd }));
    sequence = blockEnd;
  }
  return concatenate(pieces);
}

interface Sequences {
  readonly first: number;
  readonly end: number;
}

function blockBytes(ring: RingMemory, block: number, spans: Sequences): Uint8Array {
  const [offset, length] = [ring.blockOffset[block]!, ring.blockLength[block]!];
  const isWhole = spans.end - spans.first === ring.blockSpans[block];
  if (isWhole) return ring.arena.subarray(offset, offset + length);
  return assembleRequest({ bytes: ring.arena, offset, length }, tableOf(ring, spans));
}

/**
 * The rows of the ring that belong to a run of spans of one block, in order and without the turn.
 */
function tableOf(ring: RingMemory, spans: Sequences): SpanTable {
  const spanCount = spans.end - spans.first;
  const table = createSpanTable(spanCount);
  let context = -1;
  for (table.spanCount = 0; table.spanCount < spanCount; table.spanCount += 1) {
    const slot = slotOf(ring, spans.first + table.spanCount);
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
