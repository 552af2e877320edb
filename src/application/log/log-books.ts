import { assertBooksBalance, type Ledger } from "../../domain/ledger.ts";
import type { SpanAmount } from "../../domain/buffered-spans.ts";

export type { SpanAmount };

/** Why spans leave the log for good. */
export type Cause = "taken" | "delivered" | "evicted" | "undeliverable";

/** As records spell them: the index is the number. 0 is for spans that a record only counts. */
export const CAUSES: readonly (Cause | undefined)[] = [
  undefined,
  "taken",
  "delivered",
  "evicted",
  "undeliverable",
];

type Books = { -readonly [Entry in keyof Ledger]: Ledger[Entry] };

/**
 * What became of every span that this run has acknowledged or restored, in spans and in bytes:
 *
 *     accepted = buffered + taken + delivered + evicted + undeliverable
 *
 * Nothing is rejected here: only valid spans come to the log.
 */
export interface LogBooks {
  readonly spans: Books;
  readonly bytes: Books;
}

export function emptyBooks(): LogBooks {
  return { spans: emptyLedger(), bytes: emptyLedger() };
}

export function bookAccepted(books: LogBooks, { spans, bytes }: SpanAmount): void {
  for (const entry of ["received", "accepted", "buffered"] as const) {
    books.spans[entry] += spans;
    books.bytes[entry] += bytes;
  }
  assertBooks(books);
}

export function bookDeparted(books: LogBooks, cause: Cause, { spans, bytes }: SpanAmount): void {
  books.spans.buffered -= spans;
  books.bytes.buffered -= bytes;
  books.spans[cause] += spans;
  books.bytes[cause] += bytes;
  assertBooks(books);
}

function assertBooks({ spans, bytes }: LogBooks): void {
  assertBooksBalance(spans);
  assertBooksBalance(bytes);
}

function emptyLedger(): Books {
  return {
    received: 0,
    rejected: 0,
    accepted: 0,
    buffered: 0,
    taken: 0,
    delivered: 0,
    evicted: 0,
    undeliverable: 0,
  };
}
