import { assertBooksBalance, type BufferStats, type Ledger } from "../domain/ledger.ts";
import {
  ACCEPTED,
  BUFFERED_BYTES,
  EVICTED,
  FIRST_SEQUENCE,
  NEXT_SEQUENCE,
  RECEIVED,
  REJECTED,
  type RingMemory,
  TAKEN,
} from "./ring-memory.ts";

/** An amount of spans, in both units of the ledger. */
export interface SpanAmount {
  readonly spans: number;
  readonly bytes: number;
}

type Entry = typeof RECEIVED | typeof REJECTED | typeof ACCEPTED | typeof TAKEN | typeof EVICTED;

export function book(ring: RingMemory, entry: Entry, amount: SpanAmount): void {
  ring.control[entry]! += amount.spans;
  ring.control[entry + 1]! += amount.bytes;
}

export function bufferedSpans(ring: RingMemory): number {
  return ring.control[NEXT_SEQUENCE]! - ring.control[FIRST_SEQUENCE]!;
}

/** Needs the lock, like every reading of the ring. */
export function readStats(ring: RingMemory): BufferStats {
  return {
    spans: readBooks(ring, 0, bufferedSpans(ring)),
    bytes: readBooks(ring, 1, ring.control[BUFFERED_BYTES]!),
    capacity: { spans: ring.capacitySpans, bytes: ring.capacityBytes },
    sequence: { first: ring.control[FIRST_SEQUENCE]!, next: ring.control[NEXT_SEQUENCE]! },
  };
}

function readBooks({ control }: RingMemory, unit: 0 | 1, buffered: number): Ledger {
  return {
    received: control[RECEIVED + unit]!,
    rejected: control[REJECTED + unit]!,
    accepted: control[ACCEPTED + unit]!,
    buffered,
    taken: control[TAKEN + unit]!,
    evicted: control[EVICTED + unit]!,
  };
}

/**
 * After every change: what is buffered is counted apart, so the books can be wrong, and are not.
 */
export function audit(ring: RingMemory): void {
  assertBooksBalance(readBooks(ring, 0, bufferedSpans(ring)));
  assertBooksBalance(readBooks(ring, 1, ring.control[BUFFERED_BYTES]!));
}
