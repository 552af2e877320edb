import type { ServiceAmount } from "../../domain/ledger.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import { type Arrived, type ArrivedRange, SubscriptionIndex } from "./subscription-index.ts";
import type {
  Appended,
  OldestSpans,
  SequenceRange,
  WatchedBuffer,
} from "../../ports/trace-buffer.ts";

/** What those who wait, take or clear need of it. */
export type WatchedArrivals = Pick<
  Arrivals,
  "subscribe" | "onNext" | "seenNext" | "showArrived" | "take" | "clear"
>;

/** No more than this waits to be looked at: of spans, and so of time that is spent in one go. */
const MAX_UNSEEN_SPANS = 1024;

/** To be woken when a span with this sequence, or a later one, has arrived. */
interface Waker {
  readonly sequence: number;
  readonly wake: () => void;
}

/**
 * The buffer as receivers see it: it tells those who wait of what arrives.
 *
 *   append ── append ── append ──▶ later in the same turn of the event loop: one look at all three
 *
 * Nobody polls. While nobody waits, an append costs one comparison more; and what arrives is looked
 * at once, however many wait (see `SubscriptionIndex`).
 *
 * Invariant: what was accepted and not looked at yet is `unseenSpans` and `unseenBytes`, less than
 * half of the ring before each append; so the append cannot evict it unseen. (A single request of
 * more than that can: its subscribers see its newest.)
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

  /** What is taken has been shown before. */
  take(spanCount: number): OldestSpans {
    this.showArrived();
    return this.buffer.take(spanCount);
  }

  /** What is cleared has been shown before. */
  clear(): number {
    this.showArrived();
    return this.buffer.clear();
  }

  /**
   * Has `arrived` called with every span that matches and is accepted from now on, until the
   * function that is answered is called. Undefined when there is no room for this filter.
   */
  subscribe(filter: SpanFilter, arrived: Arrived): (() => void) | undefined {
    this.showArrived();
    return this.index.add(filter, arrived);
  }

  /** Has `wake` called once, as soon as there is a span with this sequence or a later one. */
  onNext(sequence: number, wake: () => void): () => void {
    this.showArrived();
    const waker = { sequence, wake };
    if (this.seen > sequence) queueMicrotask(wake);
    else this.wakers.add(waker);
    return () => void this.wakers.delete(waker);
  }

  /** What was accepted before this sequence has been shown to everyone who waits for it. */
  get seenNext(): number {
    return this.seen;
  }

  /** Shows what has arrived to everyone who waits for it, now and not at the end of the turn. */
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
