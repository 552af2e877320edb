import type { BufferedRun, SequenceRange } from "../../ports/trace-buffer.ts";
import { copyBuffered } from "./ring-hand-over.ts";
import { FIRST_SEQUENCE, NEXT_SEQUENCE, type RingMemory } from "./ring-memory.ts";
import { blockEndSequence, blockOf, isBuffered, slotsOf } from "./ring-removal.ts";

/**
 * Copies the first spans at or after a sequence that arrived together and have no gap between them,
 * leased or free; undefined if none is left. Needs the lock.
 */
export function copyRun(ring: RingMemory, from: number): BufferedRun | undefined {
  const next = ring.control[NEXT_SEQUENCE]!;
  let first = Math.max(from, ring.control[FIRST_SEQUENCE]!);
  while (first < next && !isBuffered(ring, first)) first += 1;
  if (first === next) return undefined;
  const block = blockOf(ring, first);
  const blockEnd = blockEndSequence(ring, block);
  const sequences = [first];
  for (let at = first + 1; at < blockEnd && isBuffered(ring, at); at += 1) sequences.push(at);
  const { request } = copyBuffered(ring, sequences);
  const lengths = slotsOf(ring, sequences).map((slot) => ring.slotLength[slot]!);
  const spanBytes = lengths.reduce((sum, length) => sum + length, 0);
  const unixMs = ring.blockUnixMs[block]!;
  return { request, sequence: first, spanCount: sequences.length, spanBytes, unixMs };
}

/** Returns the sequences of all buffered spans, leased or free, in order. Needs the lock. */
export function bufferedRanges(ring: RingMemory): SequenceRange[] {
  const end = ring.control[NEXT_SEQUENCE]!;
  const ranges: SequenceRange[] = [];
  for (let first = ring.control[FIRST_SEQUENCE]!; first < end; first += 1) {
    if (!isBuffered(ring, first)) continue;
    let next = first + 1;
    while (next < end && isBuffered(ring, next)) next += 1;
    ranges.push({ first, next });
    first = next;
  }
  return ranges;
}
