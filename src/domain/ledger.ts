import { assert } from "./assert.ts";

/**
 * What became of every span, in one unit (spans, or bytes of encoded `Span` messages).
 *
 *     received = rejected + accepted
 *     accepted = buffered + taken + delivered + evicted + undeliverable
 */
export interface Ledger {
  /** In requests that could be walked. */
  readonly received: number;
  /** Received, but not valid. */
  readonly rejected: number;
  /** Received and put into the ring. */
  readonly accepted: number;
  /** In the ring now, or in flight to the upstream. */
  readonly buffered: number;
  /** Handed to a reader who removed them. */
  readonly taken: number;
  /** The upstream has said that it has them. */
  readonly delivered: number;
  /** Removed by the FIFO to make room. */
  readonly evicted: number;
  /** The upstream has said that it will never take them. */
  readonly undeliverable: number;
}

export function assertBooksBalance(books: Ledger): void {
  assert(books.received === books.rejected + books.accepted, "received = rejected + accepted");
  const { buffered, taken, delivered, evicted, undeliverable } = books;
  assert(
    books.accepted === buffered + taken + delivered + evicted + undeliverable,
    "accepted = buffered + taken + delivered + evicted + undeliverable",
  );
}

/** The part of one service in the ledger. */
export interface ServiceStats {
  /** `service.name` of the resource. */
  readonly service: string;
  readonly spans: Ledger;
  readonly bytes: Ledger;
  /** When it last sent a span. */
  readonly lastSeenUnixMs: number;
}

/** One consistent reading of the buffer: every number is from the same instant. */
export interface BufferStats {
  readonly spans: Ledger;
  readonly bytes: Ledger;
  readonly capacity: { readonly spans: number; readonly bytes: number };
  /** `first` is the oldest buffered span's, `next` the one the next accepted span will get. */
  readonly sequence: { readonly first: number; readonly next: number };
}

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
