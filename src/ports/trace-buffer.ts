import type { TraceSpan } from "../domain/trace-span.ts";
import type { WalkedRequest } from "../domain/wire/walked-request.ts";
import type { BufferStats, ServiceStats, ServiceAmount, SpanAmount } from "../domain/ledger.ts";
import type { SpanMatcher, SpanPlace } from "../domain/query/span-matcher.ts";
import type { SpanPlaces } from "../domain/wire/request-spans.ts";

/** Removes spans for a reader. */
interface SpanTaker {
  /** Removes and returns the oldest spans that are not leased, `spanCount` of them or all. */
  take(spanCount: number): OldestSpans;
  /** Removes all spans that are not leased; returns their number. */
  clear(): number;
}

/** Takes in spans and shows those that have arrived to waiting readers. */
export interface WatchedBuffer extends SpanAppender, SequenceSource, SpanVisits, SpanTaker {}

/** Everything that listeners, readers and the forwarder share. */
export interface TraceBuffer
  extends SpanAppender, RoomCheck, SpanReader, SpanTaker, ForwardedBuffer, FillLevel {}

/** A bounded first-in, first-out buffer of spans. When it is full the oldest spans go first. */
export interface TraceBufferPort {
  /** Puts one span in. False when the span is not valid or there can be no room for it. */
  addSpan(span: TraceSpan): boolean;
  /** Removes and returns the oldest spans, oldest first: `count` of them, or all there are. */
  getSpans(count: number): TraceSpan[];
  /** Spans in the buffer now. */
  size(): number;
  /** Whether the next span can only get in by pushing out the oldest. */
  isFull(): boolean;
}

/** Spans to and from the bytes of an `ExportTraceServiceRequest`. */
export interface SpanCodec {
  /** One request that holds this one span, with its resource and scope. */
  encode(span: TraceSpan): Uint8Array<ArrayBuffer>;
  /** Every span of a request that the wire walk accepted, in wire order. */
  decode(request: Uint8Array): TraceSpan[];
}

/** Takes in spans. */
export interface SpanAppender {
  /** Takes a request that was walked without a fault, and the amounts that were rejected of it. */
  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): Appended;
}

/** Tells whether spans fit in. */
export interface RoomCheck {
  /** Reports whether a request of this many spans and bytes evicts nothing. */
  hasRoom(request: SpanAmount): boolean;
}

/** Tells how full the buffer is. */
export interface FillLevel {
  /** Returns a share from 0 to 1: of spans or of bytes, whichever has less room left. */
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

/** Tells which sequences are buffered. */
export interface SequenceSource {
  range(): SequenceRange;
}

/** Shows spans in place. */
export interface SpanVisits {
  visit(search: Search, visit: Visit): void;
}

/** Finds spans and copies those that were found. */
export interface SearchedBuffer extends SequenceSource, SpanVisits {
  /** Copies spans by their sequences, in the order given, without those that are gone. */
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
