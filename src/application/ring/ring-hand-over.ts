import { assembleRequest, concatenate } from "../../domain/wire/assemble.ts";
import { fieldRuns } from "../../domain/wire/field-scan.ts";
import { SPANS_FIELD } from "../../domain/wire/otlp-tags.ts";
import { createSpanTable, type SpanTable } from "../../domain/wire/request-spans.ts";
import type { RingMemory } from "./ring-memory.ts";
import {
  blockEndSequence,
  blockOf,
  isThere,
  oldestFree,
  oldestThere,
  slotsOf,
  takeBefore,
} from "./ring-removal.ts";
import { bufferedRange } from "./ring-search.ts";
import type { CopiedSpans, OldestSpans, SequenceRange } from "../../ports/trace-buffer.ts";

/**
 * The spans of these sequences as the bytes of one request, copied out of the ring in the order
 * given, without those that are gone. Needs the lock.
 *
 * Encoded messages concatenate, so whole blocks, one behind the other, are a request as they are.
 * Only of a block that is in part are slices assembled.
 */
export function copySpans(ring: RingMemory, sequences: readonly number[]): CopiedSpans {
  return copyThere(
    ring,
    sequences.filter((sequence) => isThere(ring, sequence)),
  );
}

/** The same where it is known that none is gone. */
export function copyThere(ring: RingMemory, copied: readonly number[]): CopiedSpans {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < copied.length;) {
    const end = runEnd(ring, copied, at);
    pieces.push(blockBytes(ring, blockOf(ring, copied[at]!), copied.slice(at, end)));
    at = end;
  }
  return { request: concatenate(pieces), sequences: copied };
}

/** The oldest spans that are there, those in flight too. */
export function copyOldest(ring: RingMemory, spanCount: number): OldestSpans {
  const sequences = oldestThere(ring, spanCount);
  return { ...copyThere(ring, sequences), range: rangeOfOldest(ring, sequences, spanCount) };
}

/** The oldest that nobody has. Copied before anything is removed: a copy that fails loses none. */
export function takeOldest(ring: RingMemory, spanCount: number): OldestSpans {
  const sequences = oldestFree(ring, { spans: spanCount, bytes: Number.POSITIVE_INFINITY });
  const range = rangeOfOldest(ring, sequences, spanCount);
  const copied = copyThere(ring, sequences);
  if (sequences.length > 0) takeBefore(ring, sequences.at(-1)! + 1);
  return { ...copied, range };
}

/** Up to the last of them; to the end of the ring when fewer than wanted were found. */
function rangeOfOldest(
  ring: RingMemory,
  sequences: readonly number[],
  wantedCount: number,
): SequenceRange {
  const { first, next } = bufferedRange(ring);
  if (sequences.length < wantedCount) return { first, next };
  return { first, next: (sequences.at(-1) ?? first - 1) + 1 };
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
