import type { ServiceAmount } from "../../domain/ledger.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import {
  type ArrivalListener,
  type ArrivedRange,
  SubscriptionIndex,
} from "./subscription-index.ts";
import type {
  Appended,
  OldestSpans,
  SequenceRange,
  WatchedBuffer,
} from "../../ports/trace-buffer.ts";

/** The part that waits, takes and clears use. */
export type WatchedArrivals = Pick<
  Arrivals,
  "subscribe" | "onNext" | "seenNext" | "showArrived" | "take" | "clear"
>;

/** Bounds the spans that have not been shown, and so the time that showing them takes at once. */
const MAX_UNSEEN_SPANS = 1024;

/** Is woken when a span with this sequence or a greater one has arrived. */
interface Waker {
  readonly sequence: number;
  readonly wake: () => void;
}

/**
 * Wraps the buffer for receivers, and shows waiting subscribers what arrives.
 *
 *   append ── append ── append ──▶ later in the same turn of the event loop: one scan of all three
 *
 * Nothing polls. Without subscribers, an append costs one more comparison; with them, spans are
 * scanned once, however many subscribers wait (see `SubscriptionIndex`).
 *
 * Invariant: the spans that were accepted and not shown yet are counted by `unseenSpans` and
 * `unseenBytes`, and take less than half of the ring before each append; so the append cannot evict
 * them unseen. (A single larger request can: its subscribers see its newest spans.)
 */
export class Arrivals {
  // Fixed at construction.
  private readonly buffer: WatchedBuffer;
  private readonly maxUnseen: { readonly spans: number; readonly bytes: number };

  // Moved by `subscribe` and `onNext`.
  private readonly index = new SubscriptionIndex();
  private readonly wakers = new Set<Waker>();

  // Moved by `append` and `showArrived`.
  private seen: SequenceRange["next"] = 1;
  private unseenSpans = 0;
  private unseenBytes = 0;
  private unseenArePlain = true;
  private isDue = false;

  constructor(buffer: WatchedBuffer, capacity: { readonly spans: number; readonly bytes: number }) {
    this.buffer = buffer;
    const spans = Math.min(MAX_UNSEEN_SPANS, capacity.spans / 2);
    this.maxUnseen = { spans, bytes: capacity.bytes / 2 };
  }

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): Appended {
    if (!this.isWatched) return this.buffer.append(walked, rejected);
    if (this.isTooMuch(walked)) this.showArrived();
    const appended = this.buffer.append(walked, rejected);
    this.note(walked, appended);
    return appended;
  }

  /** Shows the spans before it takes them. */
  take(spanCount: number): OldestSpans {
    this.showArrived();
    return this.buffer.take(spanCount);
  }

  /** Shows the spans before it clears them. */
  clear(): number {
    this.showArrived();
    return this.buffer.clear();
  }

  /**
   * Calls `arrived` with every matching span that is accepted from now on, until the returned
   * function is called. Returns undefined when there is no room for the filter.
   */
  subscribe(filter: SpanFilter, arrived: ArrivalListener): (() => void) | undefined {
    this.showArrived();
    return this.index.add(filter, arrived);
  }

  /** Calls `wake` once, when a span with this sequence or a greater one has arrived. */
  onNext(sequence: number, wake: () => void): () => void {
    this.showArrived();
    const waker = { sequence, wake };
    if (this.seen > sequence) queueMicrotask(wake);
    else this.wakers.add(waker);
    return () => void this.wakers.delete(waker);
  }

  /** Every span before this sequence has been shown to its subscribers. */
  get seenNext(): number {
    return this.seen;
  }

  /** Shows subscribers what has arrived, now rather than at the end of the turn. */
  showArrived(): void {
    const { next } = this.buffer.range();
    const range = { first: this.seen, next, arePlain: this.unseenArePlain };
    this.forget();
    this.seen = next;
    if (range.first < next) this.show(range);
  }

  private get isWatched(): boolean {
    return this.index.size > 0 || this.wakers.size > 0;
  }

  private isTooMuch({ spanCount, request }: WalkedRequest): boolean {
    const isMany = this.unseenSpans + spanCount > this.maxUnseen.spans;
    return this.unseenSpans > 0 && (isMany || this.isLarge(request.length));
  }

  private isLarge(requestBytes: number): boolean {
    return this.unseenBytes + requestBytes > this.maxUnseen.bytes;
  }

  private note(walked: WalkedRequest, { outcome }: Appended): void {
    if (outcome !== "accepted") return;
    this.count(walked);
    if (!this.isDue) setImmediate(() => this.showArrived());
    this.isDue = true;
  }

  private count({ spanCount, plainSpans, request }: WalkedRequest): void {
    this.unseenSpans += spanCount;
    this.unseenBytes += request.length;
    this.unseenArePlain &&= plainSpans === spanCount;
  }

  private forget(): void {
    this.isDue = false;
    this.unseenArePlain = true;
    this.unseenSpans = this.unseenBytes = 0;
  }

  private show(range: ArrivedRange): void {
    if (this.index.size > 0) this.index.show(this.buffer, range);
    const due = [...this.wakers].filter(({ sequence }) => sequence < range.next);
    for (const waker of due) this.wakers.delete(waker);
    for (const { wake } of due) wake();
  }
}
