import type { BufferStats, Ledger, ServiceAmount, SpanAmount } from "../../../src/domain/ledger.ts";
import { ledgerOf } from "./ledger-of.ts";
import {
  encodeKept,
  type RequestShape,
  serviceOf,
  type SpanShape,
  spansOf,
} from "../requests/request-shape.ts";
import type {
  AppendResult,
  OldestSpans,
  LeasePart,
  Settlement,
} from "../../../src/ports/trace-buffer.ts";

/** A request for the model: its tree, its bytes and its time of arrival. */
export interface ShapedRequest {
  readonly shape: RequestShape;
  readonly bytes: Uint8Array;
  readonly unixMs: number;
}

interface Block extends ShapedRequest {
  readonly place: number;
}

/** A span and its state. The slot belongs to it until the ring begins after it. */
interface Slot {
  readonly span: SpanShape;
  readonly block: Block;
  readonly service: string;
  readonly sequence: number;
  state: "free" | "leased" | "gone";
}

export interface ModelLease {
  readonly entries: readonly Slot[];
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
}

type Book = { -readonly [Entry in keyof Ledger]: number };

interface SpanLedgers {
  readonly spans: Book;
  readonly bytes: Book;
}

const emptyLedger = (): SpanLedgers => ({ spans: ledgerOf(), bytes: ledgerOf() });

const BOOKS = {
  delivered: "delivered",
  undeliverable: "undeliverable",
  returned: "evicted",
} as const;

/** The size of the smallest valid span, with the messages around it. */
const SMALLEST_BYTES = 34;

/**
 * A model of the ring: an array of spans that is searched, copied and shifted without regard for
 * speed. It shares no code with the ring, and tracks the offset of blocks only to know when they do
 * not fit.
 */
export class ArrayRing {
  private readonly capacity: SpanAmount;
  /** The slots from the first one in use to the last. */
  private slots: Slot[] = [];
  private readonly all = emptyLedger();
  private readonly byService = new Map<string, SpanLedgers>();
  /** Spans that had given up their slots while in flight, by their outcome. */
  readonly overtakenSpans = { delivered: 0, undeliverable: 0, returned: 0 };

  constructor(capacity: SpanAmount) {
    this.capacity = capacity;
  }

  append(
    request: ShapedRequest,
    rejected: readonly ServiceAmount[],
    mayEvict: boolean,
  ): AppendResult {
    const spans = spansOf(request.shape);
    const { capacity } = this;
    if (request.bytes.length > capacity.bytes) return { outcome: "too_large" };
    if (!mayEvict && spans.length > capacity.spans) return { outcome: "too_large" };
    const hasSlots = () => this.slots.length + spans.length <= capacity.spans;
    const place = () => this.offsetFor(request.bytes.length);
    if (!mayEvict && !(hasSlots() && place() !== undefined)) return { outcome: "refused" };
    const evictedBefore = this.all.spans.evicted;
    const excess = this.slots.length + spans.length - capacity.spans;
    this.evict(Math.min(Math.max(0, excess), this.slots.length));
    while (place() === undefined) this.evict(this.oldestBlock().length);
    const block = { ...request, place: place()! };
    const next = this.all.spans.accepted + 1;
    const added = spans.map((span, index) => {
      const service = serviceOf(block.shape, span);
      return { span, block, service, sequence: next + index, state: "free" } as Slot;
    });
    this.slots.push(...added);
    for (const { span, service } of added) {
      this.book(service, ["received", "accepted", "buffered"], { bytes: span.body.length });
    }
    this.evict(Math.max(0, this.slots.length - capacity.spans));
    for (const { service, ...amount } of rejected) {
      this.book(new TextDecoder().decode(service), ["received", "rejected"], amount);
    }
    return { outcome: "accepted", evictedSpans: this.all.spans.evicted - evictedBefore };
  }

  /** Returns the oldest buffered spans, as the bytes that the ring must return. */
  peek(spanCount: number): OldestSpans {
    return this.oldest(
      this.slots.filter(({ state }) => state !== "gone").slice(0, spanCount),
      spanCount,
    );
  }

  take(spanCount: number): OldestSpans {
    const taken = this.free().slice(0, spanCount);
    const oldest = this.oldest(taken, spanCount);
    this.leave(taken, "taken");
    return oldest;
  }

  lease(limit: SpanAmount): ModelLease | undefined {
    const free = this.free().slice(0, limit.spans);
    const sums = free.map((_, index) => total(free.slice(0, index + 1)));
    const entries = free.filter((_, index) => index === 0 || sums[index]! <= limit.bytes);
    if (entries.length === 0) return undefined;
    for (const entry of entries) entry.state = "leased";
    const sequences = entries.map(({ sequence }) => sequence);
    return { entries, request: encodeRun(entries), sequences };
  }

  /**
   * Settles spans. Returns how many could not be returned, because they had given up their slots.
   */
  settle({ entries }: ModelLease, settlement: Settlement, { first, end }: LeasePart): number {
    const part = entries.slice(first, end);
    const evicted = part.filter((entry) => !this.slots.includes(entry));
    this.overtakenSpans[settlement] += evicted.length;
    this.leave(settlement === "returned" ? evicted : part, BOOKS[settlement]);
    if (settlement !== "returned") return 0;
    for (const entry of part) if (!evicted.includes(entry)) entry.state = "free";
    return evicted.length;
  }

  /** Takes all free spans; returns their number. */
  clear(): number {
    const free = this.free();
    this.leave(free, "taken");
    return free.length;
  }

  get size(): number {
    return this.all.spans.buffered;
  }

  isFull(): boolean {
    const isSlotFree = this.slots.length < this.capacity.spans;
    return !isSlotFree || this.offsetFor(SMALLEST_BYTES) === undefined;
  }

  oldestUnixMs(): number | undefined {
    return this.slots[0]?.block.unixMs;
  }

  stats(): BufferStats {
    const next = this.all.spans.accepted + 1;
    const sequence = { first: next - this.slots.length, next };
    return { ...this.all, capacity: this.capacity, sequence };
  }

  /** Returns the services in the order in which they were first seen. */
  services(): (SpanLedgers & { readonly service: string })[] {
    return Array.from(this.byService, ([service, own]) => ({ service, ...own }));
  }

  private oldest(entries: readonly Slot[], wantedCount: number): OldestSpans {
    const { first, next } = this.stats().sequence;
    const sequences = entries.map(({ sequence }) => sequence);
    const end = entries.length < wantedCount ? next : Math.max(first - 1, ...sequences) + 1;
    return { request: encodeRun(entries), sequences, range: { first, next: end } };
  }

  private free(): Slot[] {
    return this.slots.filter(({ state }) => state === "free");
  }

  private oldestBlock(): Slot[] {
    return this.slots.filter(({ block }) => block === this.slots[0]!.block);
  }

  /**
   * Returns the offset after the newest block, or 0 if it fits there without overlapping a buffered
   * block.
   */
  private offsetFor(lengthBytes: number): number | undefined {
    const blocks = Array.from(new Set(this.slots.map(({ block }) => block)));
    const newest = blocks.at(-1);
    if (newest === undefined) return 0;
    return [newest.place + newest.bytes.length, 0].find((place) => {
      const end = place + lengthBytes;
      const isFree = blocks.every(
        (block) => block.place >= end || block.place + block.bytes.length <= place,
      );
      return end <= this.capacity.bytes && isFree;
    });
  }

  /** Frees the first slots; leased spans stay in the ledger. */
  private evict(slotCount: number): void {
    const evicted = this.slots.splice(0, slotCount);
    this.leave(
      evicted.filter(({ state }) => state === "free"),
      "evicted",
    );
  }

  private leave(entries: readonly Slot[], book: keyof Ledger): void {
    for (const entry of entries) {
      entry.state = "gone";
      const { length: bytes } = entry.span.body;
      this.book(entry.service, [book], { bytes });
      this.book(entry.service, ["buffered"], { spans: -1, bytes: -bytes });
    }
    while (this.slots[0]?.state === "gone") this.slots.shift();
  }

  private book(
    service: string,
    entries: readonly (keyof Ledger)[],
    { spans = 1, bytes }: { readonly spans?: number; readonly bytes: number },
  ): void {
    const own = this.byService.get(service) ?? emptyLedger();
    this.byService.set(service, own);
    for (const each of [this.all, own]) {
      for (const entry of entries) {
        each.spans[entry] += spans;
        each.bytes[entry] += bytes;
      }
    }
  }
}

/** Encodes a run: whole blocks unchanged, and others without the spans not in the run. */
function encodeRun(entries: readonly Slot[]): Uint8Array<ArrayBuffer> {
  const blocks = new Set(entries.map(({ block }) => block));
  const parts = Array.from(blocks, (block) => {
    const kept = entries.filter((entry) => entry.block === block).map(({ span }) => span);
    const isWhole = kept.length === spansOf(block.shape).length;
    return isWhole ? block.bytes : encodeKept(block.shape, new Set(kept));
  });
  return new Uint8Array(Buffer.concat(parts));
}

function total(entries: readonly Slot[]): number {
  return entries.reduce((sum, { span }) => sum + span.body.length, 0);
}
