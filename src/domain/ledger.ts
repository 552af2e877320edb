import { assert } from "./assert.ts";

/**
 * Counts every span by its outcome, in one unit (spans, or bytes of encoded `Span` messages).
 *
 *     received = rejected + accepted
 *     accepted = buffered + taken + delivered + evicted + undeliverable
 */
export interface Ledger {
  /** Contained in requests that could be walked. */
  readonly received: number;
  /** Received, but not valid. */
  readonly rejected: number;
  /** Received and stored in the ring. */
  readonly accepted: number;
  /** In the ring or on disk now, or in flight to the upstream. */
  readonly buffered: number;
  /** Returned to a reader that removed them. */
  readonly taken: number;
  /** Accepted by the upstream. */
  readonly delivered: number;
  /** Removed, oldest first, to make room. */
  readonly evicted: number;
  /** Refused by the upstream for good. */
  readonly undeliverable: number;
}

export function assertLedgerBalances(ledger: Ledger): void {
  assert(ledger.received === ledger.rejected + ledger.accepted, "received = rejected + accepted");
  const { buffered, taken, delivered, evicted, undeliverable } = ledger;
  assert(
    ledger.accepted === buffered + taken + delivered + evicted + undeliverable,
    "accepted = buffered + taken + delivered + evicted + undeliverable",
  );
}

/** The ledger of one service. */
export interface ServiceStats {
  /** `service.name` of the resource. */
  readonly service: string;
  readonly spans: Ledger;
  readonly bytes: Ledger;
  /** The time of its latest span. */
  readonly lastSeenUnixMs: number;
}

/** A consistent snapshot of the buffer: all numbers belong to the same instant. */
export interface BufferStats {
  readonly spans: Ledger;
  readonly bytes: Ledger;
  readonly capacity: { readonly spans: number; readonly bytes: number };
  /**
   * `first` is the sequence of the oldest span in memory, `next` the sequence of the next accepted
   * one.
   */
  readonly sequence: { readonly first: number; readonly next: number };
  /** The buffered spans that are on disk only and not in flight; undefined without a log. */
  readonly spilled?: SpanAmount;
}

/** An amount of spans in both units of the ledger. */
export interface SpanAmount {
  readonly spans: number;
  readonly bytes: number;
}

/** An amount of spans of one service. */
export interface ServiceAmount extends SpanAmount {
  /** The name, as UTF-8. */
  readonly service: Uint8Array;
}
