import type { SpanPlaces } from "./wire/request-spans.ts";

/**
 * Spans on their way to the upstream. They stay in the buffer, where readers see them and no taker
 * and no other lease gets them. A full buffer evicts their slots like all others, so the lease has
 * the bytes as well: they can be sent again whatever has become of the slots.
 *
 *   free ──lease──▶ leased ──────────────────┬─delivered──────▶ delivered
 *     ▲               │ │                    ├─undeliverable──▶ undeliverable
 *     └───returned────┘ └─makes room, still──┴─returned───────▶ evicted
 *                         leased in the ledger
 *
 * Until it is settled a leased span counts as buffered in the ledger, whether it still has its slot
 * or not: so each ends in exactly one entry, and no entry is ever corrected.
 */
export interface Lease {
  // Fixed at construction.
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
  /** For the ledger: the service and the length of each span. */
  readonly services: Uint32Array;
  readonly lengthBytes: Uint32Array;

  // Moved by `settle`: 1 for each span that is settled.
  readonly settled: Uint8Array;
}

/** Spans of a lease by their positions in it. */
export type LeasePart = SpanPlaces;

export type Settlement = "delivered" | "returned" | "undeliverable";
