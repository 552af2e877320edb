import type { ServiceAmount } from "../../domain/ledger.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import {
  type ArrivalListener,
  type ArrivedRange,
  SubscriptionIndex,
} from "./subscription-index.ts";
import type {
  AppendResult,
  MaybeLater,
  OldestSpans,
  SequenceRange,
  WatchedBuffer,
} from "../../ports/trace-buffer.ts";

/** The methods used by waits, takes and clears. */
export type WatchedArrivals = Pick<
  Arrivals,
  "subscribe" | "onNext" | "seenNext" | "showArrived" | "take" | "clear"
>;

/** Limits the spans not yet shown to subscribers, and so the duration of one scan. */
const MAX_UNSEEN_SPANS = 1024;

/** A callback that runs once a span with this sequence or a later one has arrived. */
interface Waker {
  readonly sequence: number;
  readonly wake: () => void;
}

/**
 * Wraps the buffer for receivers, and shows new spans to waiting subscribers.
 *
 *   append ── append ── append ──▶ later in the same turn of the event loop: one scan of all three
 *
 * Nothing polls. Without subscribers, an append costs one extra comparison. With subscribers, each
 * span is scanned once, however many of them wait (see `SubscriptionIndex`).
 *
 * Invariant: `unseenSpans` and `unseenBytes` count the accepted spans that have not been shown, and
 * before each append these take less than half of the ring. So the append cannot evict them unseen.
 * (A single larger request can; its subscribers see only its newest spans.)
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

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult {
    if (!this.isWatched) return this.buffer.append(walked, rejected);
    if (this.isTooMuch(walked)) this.showArrived();
    const appended = this.buffer.append(walked, rejected);
    this.note(walked, appended);
    return appended;
  }

  /** Shows new spans to subscribers before any are taken. */
  take(spanCount: number): MaybeLater<OldestSpans> {
    this.showArrived();
    return this.buffer.take(spanCount);
  }

  /** Shows new spans to subscribers before the buffer is cleared. */
  clear(): number {
    this.showArrived();
    return this.buffer.clear();
  }

  /**
   * Calls `arrived` with every matching span accepted from now on, until the returned function is
   * called. Returns undefined if the index has no room for the filter.
   */
  subscribe(filter: SpanFilter, arrived: ArrivalListener): (() => void) | undefined {
    this.showArrived();
    return this.index.add(filter, arrived);
  }

  /** Calls `wake` once a span with this sequence or a later one has arrived. */
  onNext(sequence: number, wake: () => void): () => void {
    this.showArrived();
    const waker = { sequence, wake };
    if (this.seen > sequence) queueMicrotask(wake);
    else this.wakers.add(waker);
    return () => void this.wakers.delete(waker);
  }

  /** Returns the sequence up to which all spans have been shown to subscribers. */
  get seenNext(): number {
    return this.seen;
  }

  /** Shows new spans to subscribers now, instead of at the end of the turn. */
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

  private note(walked: WalkedRequest, { outcome }: AppendResult): void {
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
