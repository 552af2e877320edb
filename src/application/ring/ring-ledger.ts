import {
  assertLedgerBalances,
  type BufferStats,
  type Ledger,
  type SpanAmount,
} from "../../domain/ledger.ts";
import {
  ACCEPTED,
  BUFFERED_BYTES,
  BUFFERED_SPANS,
  DELIVERED,
  EVICTED,
  FIRST_SEQUENCE,
  NEXT_SEQUENCE,
  RECEIVED,
  REJECTED,
  type RingMemory,
  TAKEN,
  UNDELIVERABLE,
} from "./ring-memory.ts";

/** The ledger entries of spans that have left the ring. */
export type Departure = typeof TAKEN | typeof DELIVERED | typeof EVICTED | typeof UNDELIVERABLE;

type Entry = typeof RECEIVED | typeof REJECTED | typeof ACCEPTED | Departure;

export function record(ring: RingMemory, entry: Entry, amount: SpanAmount): void {
  ring.control[entry]! += amount.spans;
  ring.control[entry + 1]! += amount.bytes;
}

/** Moves an amount from buffered to the entry of a departure. */
export function recordDeparture(ring: RingMemory, entry: Departure, amount: SpanAmount): void {
  ring.control[BUFFERED_SPANS]! -= amount.spans;
  ring.control[BUFFERED_BYTES]! -= amount.bytes;
  record(ring, entry, amount);
}

/**
 * Returns the number of buffered spans in the ledger. The ring may hold fewer, because leased spans
 * may have given up their slots.
 */
export function bufferedSpans(ring: RingMemory): number {
  return ring.control[BUFFERED_SPANS]!;
}

/** Returns the number of slots in use, including those of spans that left before an older one. */
export function usedSlots(ring: RingMemory): number {
  return ring.control[NEXT_SEQUENCE]! - ring.control[FIRST_SEQUENCE]!;
}

/** Reads the ledger. Needs the lock, like every reading of the ring. */
export function readStats(ring: RingMemory): BufferStats {
  return {
    spans: readLedger(ring, 0),
    bytes: readLedger(ring, 1),
    capacity: { spans: ring.capacitySpans, bytes: ring.capacityBytes },
    sequence: { first: ring.control[FIRST_SEQUENCE]!, next: ring.control[NEXT_SEQUENCE]! },
  };
}

function readLedger({ control }: RingMemory, unit: 0 | 1): Ledger {
  return {
    received: control[RECEIVED + unit]!,
    rejected: control[REJECTED + unit]!,
    accepted: control[ACCEPTED + unit]!,
    buffered: control[unit === 0 ? BUFFERED_SPANS : BUFFERED_BYTES]!,
    taken: control[TAKEN + unit]!,
    delivered: control[DELIVERED + unit]!,
    evicted: control[EVICTED + unit]!,
    undeliverable: control[UNDELIVERABLE + unit]!,
  };
}

/**
 * Asserts both equations of the ledger, in spans and in bytes, after every change. The buffered
 * amount is counted separately, so an error becomes visible.
 */
export function audit(ring: RingMemory): void {
  assertLedgerBalances(readLedger(ring, 0));
  assertLedgerBalances(readLedger(ring, 1));
}
