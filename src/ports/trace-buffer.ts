import type { TraceSpan } from "../domain/trace-span.ts";
import type { WalkedRequest } from "../domain/wire/walked-request.ts";
import type { BufferStats, ServiceStats, ServiceAmount, SpanAmount } from "../domain/ledger.ts";
import type { SpanMatcher, SpanLocation } from "../domain/query/span-matcher.ts";
import type { SpanRange } from "../domain/wire/request-spans.ts";

/** Removes spans for a reader. */
interface SpanTaker {
  /** Removes and returns the oldest spans that are not leased, `spanCount` of them or all. */
  take(spanCount: number): OldestSpans;
  /** Removes all spans that are not leased; returns their number. */
  clear(): number;
}

/** Accepts spans, and shows new ones to waiting readers. */
export interface WatchedBuffer extends SpanAppender, SequenceSource, SpanVisits, SpanTaker {}

/** The buffer with all views: of listeners, of readers and of the forwarder. */
export interface TraceBuffer
  extends SpanAppender, RoomCheck, SpanReader, SpanTaker, ForwardedBuffer, FillLevel {}

/** A bounded first-in, first-out buffer of spans: when it is full, the oldest spans are evicted. */
export interface TraceBufferPort {
  /** Stores one span. Returns false when the span is not valid or cannot fit. */
  addSpan(span: TraceSpan): boolean;
  /** Removes and returns the oldest spans, oldest first: `count` of them, or all. */
  getSpans(count: number): TraceSpan[];
  /** Returns how many spans are buffered. */
  size(): number;
  /** Reports whether the next span would evict the oldest. */
  isFull(): boolean;
}

/** Converts spans to and from the bytes of an `ExportTraceServiceRequest`. */
export interface SpanCodec {
  /** Returns a request with this one span, its resource and its scope. */
  encode(span: TraceSpan): Uint8Array<ArrayBuffer>;
  /** Returns the spans of a request that the wire walk accepted, in wire order. */
  decode(request: Uint8Array): TraceSpan[];
}

/** Accepts spans. */
export interface SpanAppender {
  /**
   * Stores a request that was walked without a fault. `rejected` has the amounts of its spans that
   * were rejected.
   */
  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult;
}

/** Reports whether spans fit in. */
export interface RoomCheck {
  /** Reports whether a request of this many spans and bytes evicts nothing. */
  hasRoom(request: SpanAmount): boolean;
}

/** Reports how full the buffer is. */
export interface FillLevel {
  /** Returns a share from 0 to 1: of spans or of bytes, whichever is larger. */
  usedShare(): number;
}

/** Leases the oldest spans. */
interface Leaser {
  /** Leases the oldest free spans, at least one; undefined when there are none. */
  lease(limit: SpanAmount): Lease | undefined;
}

/** Ends leases. */
export interface LeaseSettler {
  /** Ends the lease of a part or of all of it; returns how many returned spans were evicted. */
  settle(lease: Lease, settlement: Settlement, part?: LeasePart): number;
}

/** Measures what waits to be forwarded. */
export interface BacklogSource extends SequenceSource {
  /** Returns how many bytes of the capacity are in use, with envelopes and gaps. */
  usedBytes(): number;
}

/** Forwards spans. */
export interface ForwardedBuffer extends Leaser, LeaseSettler, BacklogSource {
  /** Leases the newest free span; undefined when there is none. */
  leaseNewest(): Lease | undefined;
  /** Returns when the oldest buffered span was received; undefined when the buffer is empty. */
  oldestUnixMs(): number | undefined;
}

/** Empties the buffer when spanring stops. */
export interface SpilledBuffer extends Leaser, LedgerSource {}

/** Reports which sequences are buffered. */
export interface SequenceSource {
  range(): SequenceRange;
}

/** Shows spans in place. */
export interface SpanVisits {
  visit(search: Search, visit: Visit): void;
}

/** Finds spans and copies those that were found. */
export interface SearchedBuffer extends SequenceSource, SpanVisits {
  /** Copies spans by their sequences, in the order given, skipping those that have left. */
  copy(sequences: readonly number[]): CopiedSpans;
}

/** Reports the ledger. */
interface LedgerSource {
  services(): ServiceStats[];
  stats(): BufferStats;
}

/** Reads spans without removing them. The bytes that it hands out are copies. */
export interface SpanReader extends SearchedBuffer, LedgerSource {
  /** Copies the oldest spans, `spanCount` of them or all that are buffered. */
  peek(spanCount: number): OldestSpans;
}

/** The sequences from `first` up to, but not including, `next`. */
export interface SequenceRange {
  readonly first: number;
  readonly next: number;
}

/** The result of an append. A request that is not accepted is neither stored nor counted. */
export type AppendResult =
  | { readonly outcome: "accepted"; readonly evictedSpans: number }
  /** No room, and the overflow policy does not evict. */
  | { readonly outcome: "refused" }
  /** It can never fit: larger than the arena, or, if nothing is evicted, than all slots. */
  | { readonly outcome: "too_large" };

/** Spans as the bytes of one request, and the sequence of each, in the order of the request. */
export interface CopiedSpans {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
}

/**
 * The oldest spans of the buffer. Their sequences have gaps where others are leased or have left;
 * `range` is what was examined.
 */
export interface OldestSpans extends CopiedSpans {
  readonly range: SequenceRange;
}

export interface Search {
  readonly range: SequenceRange;
  readonly newestFirst: boolean;
  readonly matcher: SpanMatcher;
}

/** Called with each matching span in place, until it returns false. Must not keep the reference. */
export type Visit = (sequence: number, location: Readonly<SpanLocation>) => boolean;

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
export type LeasePart = SpanRange;

export type Settlement = "delivered" | "returned" | "undeliverable";
