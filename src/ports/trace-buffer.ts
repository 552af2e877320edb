import type { TraceSpan } from "../domain/trace-span.ts";
import type { WalkedRequest } from "../domain/wire/walked-request.ts";
import type { BufferStats, ServiceStats, ServiceAmount, SpanAmount } from "../domain/ledger.ts";
import type { SpanMatcher, SpanLocation } from "../domain/query/span-matcher.ts";
import type { SpanRange } from "../domain/wire/request-spans.ts";

/** A result that is known at once, unless spans have to be read from a disk. */
export type MaybeLater<Result> = Result | Promise<Result>;

/** Removes spans for a reader. */
interface SpanTaker {
  /** Removes and returns the oldest `spanCount` spans that are not leased, or all of them. */
  take(spanCount: number): MaybeLater<OldestSpans>;
  /** Removes all spans that are not leased; returns their number. */
  clear(): number;
}

/** Accepts spans, and shows new ones to waiting readers. */
export interface WatchedBuffer extends SpanAppender, SequenceSource, SpanVisits, SpanTaker {}

/** The buffer with all its views: for listeners, readers and the forwarder. */
export interface TraceBuffer
  extends SpanAppender, RoomCheck, SpanReader, SpanTaker, ForwardedBuffer, FillLevel {}

/** A bounded first-in, first-out buffer of spans: when it is full, the oldest spans are evicted. */
export interface TraceBufferPort {
  /** Stores one span. Returns false if the span is invalid or cannot fit. */
  addSpan(span: TraceSpan): boolean;
  /** Removes and returns the oldest `count` spans, or all of them, oldest first. */
  getSpans(count: number): TraceSpan[];
  /** Returns the number of buffered spans. */
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
   * Stores a request that was walked without a fault. `rejected` has the amounts of its rejected
   * spans.
   */
  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult;
}

/** Reports whether more spans fit. */
export interface RoomCheck {
  /** Reports whether a request of this many spans and bytes evicts nothing. */
  hasRoom(request: SpanAmount): boolean;
}

/** Reports how full the buffer is. */
export interface FillLevel {
  /** Returns the used share of the spans or of the bytes, whichever is larger, from 0 to 1. */
  usedShare(): number;
}

/** Leases the oldest spans. */
interface Leaser {
  /** Leases the oldest free spans, at least one; undefined if none is free. */
  lease(limit: SpanAmount): MaybeLater<Lease | undefined>;
}

/** Ends leases. */
export interface LeaseSettler {
  /**
   * Ends the lease for some or all of its spans; returns how many of the returned spans were
   * evicted.
   */
  settle(lease: Lease, settlement: Settlement, part?: LeasePart): number;
}

/** Measures the spans that wait to be forwarded. */
export interface BacklogSource extends SequenceSource {
  /** Returns how many bytes of the capacity are in use, including envelopes and gaps. */
  usedBytes(): number;
  /** Reports whether free spans have left memory and are on disk only; they are the oldest. */
  hasSpilled(): boolean;
}

/** Forwards spans. */
export interface ForwardedBuffer extends Leaser, LeaseSettler, BacklogSource {
  /** Leases the newest free span; undefined if none is free. */
  leaseNewest(): Lease | undefined;
  /**
   * Returns the time at which the oldest buffered span was received; undefined if the buffer is
   * empty.
   */
  oldestUnixMs(): number | undefined;
}

/** Copies the buffered spans when spanring stops. */
export interface StoppedBuffer extends SequenceSource, LedgerSource {
  /**
   * Copies the first spans in memory at or after a sequence that arrived together and have no gap
   * between them, leased or free; undefined if none is left.
   */
  copyRun(from: number): BufferedRun | undefined;
  /** Returns the sequences of all spans in memory, leased or free, in ascending ranges. */
  ranges(): SequenceRange[];
}

/** Reports which sequences are buffered. */
export interface SequenceSource {
  range(): SequenceRange;
}

/** Visits spans in place. */
export interface SpanVisits {
  visit(search: Search, visit: Visit): void;
}

/** Searches for spans and copies them. */
export interface SearchedBuffer extends SequenceSource, SpanVisits {
  /** Copies the spans with these sequences, in the given order, skipping those that have left. */
  copy(sequences: readonly number[]): CopiedSpans;
}

/** Reports the ledger. */
interface LedgerSource {
  services(): ServiceStats[];
  stats(): BufferStats;
}

/** Reads spans without removing them. The bytes it returns are copies. */
export interface SpanReader extends SearchedBuffer, LedgerSource {
  /** Copies the oldest `spanCount` spans, or all of them. */
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
  /** There is no room, and the overflow policy does not evict. */
  | { readonly outcome: "refused" }
  /**
   * It can never fit: it is larger than the arena or, if nothing is evicted, has more spans than
   * there are slots.
   */
  | { readonly outcome: "too_large" };

/** Spans as one encoded request, and the sequence of each, in the order of the request. */
export interface CopiedSpans {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
}

/** Spans that arrived together, with consecutive sequences. */
export interface BufferedRun {
  readonly request: Uint8Array<ArrayBuffer>;
  /** The sequence of the first span. */
  readonly sequence: number;
  readonly spanCount: number;
  /** Size of the spans as encoded `Span` messages. */
  readonly spanBytes: number;
  readonly unixMs: number;
}

/**
 * The oldest spans of the buffer. Their sequences have gaps if other spans are leased or have left;
 * `range` is the range that was examined.
 */
export interface OldestSpans extends CopiedSpans {
  readonly range: SequenceRange;
}

export interface Search {
  readonly range: SequenceRange;
  readonly newestFirst: boolean;
  readonly matcher: SpanMatcher;
}

/**
 * Called with each matching span in place, until it returns false. It must not keep the reference.
 */
export type Visit = (sequence: number, location: Readonly<SpanLocation>) => boolean;

/**
 * Spans on their way to the upstream. They stay in the buffer: readers see them, but takers and
 * other leases do not get them. A full buffer evicts their slots like any others. The lease
 * therefore has a copy of the bytes, which can be sent again whatever happens to the slots.
 *
 *   free ──lease──▶ leased ──────────────────┬─delivered──────▶ delivered
 *     ▲               │ │                    ├─undeliverable──▶ undeliverable
 *     └───returned────┘ └─makes room, still──┴─returned───────▶ evicted
 *                         leased in the ledger
 *
 * Until it is settled, a leased span counts as buffered in the ledger, whether or not it still has
 * its slot. So each span ends in exactly one entry, and no entry is ever corrected.
 */
export interface Lease {
  // Fixed at construction.
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
  /** The service and the length of each span, for the ledger. */
  readonly services: Uint32Array;
  readonly lengthBytes: Uint32Array;

  // Moved by `settle`: 1 for each span that is settled.
  readonly settled: Uint8Array;
}

/** A range of spans in a lease, by position. */
export type LeasePart = SpanRange;

export type Settlement = "delivered" | "returned" | "undeliverable";
