import type { SpanMatcher, SpanPlace } from "./query/span-matcher.ts";
import type { SpanPlaces } from "./wire/request-spans.ts";

/** An amount of spans, in both units of the ledger. */
export interface SpanAmount {
  readonly spans: number;
  readonly bytes: number;
}

/** Spans of one service. */
export interface ServiceAmount extends SpanAmount {
  /** The name, as UTF-8. */
  readonly service: Uint8Array;
}

/** The spans from sequence `first` up to, and without, `next`. */
export interface SequenceRange {
  readonly first: number;
  readonly next: number;
}

/** The result of an append. A request that is not accepted is neither kept nor counted. */
export type Appended =
  | { readonly outcome: "accepted"; readonly evictedSpans: number }
  /** No room, and nothing may be evicted for it. */
  | { readonly outcome: "refused" }
  /** There can be no room: larger than the arena, or (where nothing is evicted) than all slots. */
  | { readonly outcome: "too_large" };

/** Spans as the bytes of one request, and the sequence of each, in the order of the request. */
export interface CopiedSpans {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
}

/**
 * The oldest spans of the buffer. Their sequences have gaps where others are leased or have left;
 * the range is the sequences that were examined.
 */
export interface OldestSpans extends CopiedSpans {
  readonly range: SequenceRange;
}

export interface Search {
  readonly range: SequenceRange;
  readonly newestFirst: boolean;
  readonly matcher: SpanMatcher;
}

/** Called with each span that matches, in place, until it returns false. It must keep no place. */
export type Visit = (sequence: number, place: Readonly<SpanPlace>) => boolean;

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
