import type { Appended } from "../../src/application/ring-append.ts";
import type { SpanAmount } from "../../src/application/ring-ledger.ts";
import type { ServiceAmount } from "../../src/application/ring-services.ts";
import type { BufferStats, Ledger } from "../../src/domain/ledger.ts";
import {
  encodeKept,
  type RequestShape,
  serviceOf,
  type SpanShape,
  spansOf,
} from "./request-shape.ts";

/** A request as the model is given it: its tree, and the bytes of it. */
export interface ShapedRequest {
  readonly shape: RequestShape;
  readonly bytes: Uint8Array;
}

interface Block extends ShapedRequest {
  readonly place: number;
}

interface Buffered {
  readonly span: SpanShape;
  readonly block: Block;
  readonly service: string;
}

type Book = { -readonly [Entry in keyof Ledger]: number };

interface Books {
  readonly spans: Book;
  readonly bytes: Book;
}

const emptyBooks = (): Books => ({ spans: emptyBook(), bytes: emptyBook() });

const emptyBook = (): Book => ({
  received: 0,
  rejected: 0,
  accepted: 0,
  buffered: 0,
  taken: 0,
  evicted: 0,
});

/** The smallest valid span, with the heads around it. */
const SMALLEST_BYTES = 34;

/**
 * The ring as an array of spans, which is searched, copied and shifted without a thought for speed.
 * It shares no code with the ring, and knows a block's place only to know when there is none.
 */
export class ArrayRing {
  private readonly capacity: SpanAmount;
  private buffered: Buffered[] = [];
  private readonly all = emptyBooks();
  private readonly byService = new Map<string, Books>();

  constructor(capacity: SpanAmount) {
    this.capacity = capacity;
  }

  append(request: ShapedRequest, rejected: readonly ServiceAmount[], mayEvict: boolean): Appended {
    const spans = spansOf(request.shape);
    const { capacity } = this;
    if (request.bytes.length > capacity.bytes) return { outcome: "too_large" };
    if (!mayEvict && spans.length > capacity.spans) return { outcome: "too_large" };
    const hasSlots = () => this.buffered.length + spans.length <= capacity.spans;
    const place = () => this.placeFor(request.bytes.length);
    if (!mayEvict && !(hasSlots() && place() !== undefined)) return { outcome: "refused" };
    const evictedBefore = this.all.spans.evicted;
    while (!hasSlots() && this.buffered.length > 0) this.remove(1, "evicted");
    while (place() === undefined) this.remove(this.oldestBlock().length, "evicted");
    const block = { ...request, place: place()! };
    const added = spans.map((span) => ({ span, block, service: serviceOf(block.shape, span) }));
    this.buffered.push(...added);
    for (const { span, service } of added) {
      this.book(service, ["received", "accepted", "buffered"], { bytes: span.body.length });
    }
    this.remove(Math.max(0, this.buffered.length - capacity.spans), "evicted");
    for (const { service, ...amount } of rejected) {
      this.book(new TextDecoder().decode(service), ["received", "rejected"], amount);
    }
    return { outcome: "accepted", evictedSpans: this.all.spans.evicted - evictedBefore };
  }

  /** The oldest spans, as the bytes that the ring must hand out. */
  peek(spanCount: number): Uint8Array<ArrayBuffer> {
    const wanted = this.buffered.slice(0, spanCount);
    const blocks = new Set(wanted.map(({ block }) => block));
    const parts = Array.from(blocks, (block) => {
      const kept = wanted.filter((buffered) => buffered.block === block).map(({ span }) => span);
      const isWhole = kept.length === spansOf(block.shape).length;
      return isWhole ? block.bytes : encodeKept(block.shape, new Set(kept));
    });
    return new Uint8Array(Buffer.concat(parts));
  }

  take(spanCount: number): Uint8Array<ArrayBuffer> {
    const taken = this.peek(spanCount);
    this.remove(Math.min(spanCount, this.buffered.length), "taken");
    return taken;
  }

  /** Takes all there are; answers how many. */
  clear(): number {
    const { size } = this;
    this.remove(size, "taken");
    return size;
  }

  get size(): number {
    return this.buffered.length;
  }

  isFull(): boolean {
    return this.size === this.capacity.spans || this.placeFor(SMALLEST_BYTES) === undefined;
  }

  stats(): BufferStats {
    const next = this.all.spans.accepted + 1;
    const sequence = { first: next - this.size, next };
    return { ...this.all, capacity: this.capacity, sequence };
  }

  /** In the order in which they were first seen. */
  services(): (Books & { readonly service: string })[] {
    return Array.from(this.byService, ([service, books]) => ({ service, ...books }));
  }

  private oldestBlock(): Buffered[] {
    return this.buffered.filter(({ block }) => block === this.buffered[0]!.block);
  }

  /** Behind the newest block, or at the start, if nothing that is still there is in the way. */
  private placeFor(lengthBytes: number): number | undefined {
    const blocks = Array.from(new Set(this.buffered.map(({ block }) => block)));
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

  private remove(spanCount: number, entry: "taken" | "evicted"): void {
    for (const { span, service } of this.buffered.splice(0, spanCount)) {
      const { length: bytes } = span.body;
      this.book(service, [entry], { bytes });
      this.book(service, ["buffered"], { spans: -1, bytes: -bytes });
    }
  }

  private book(
    service: string,
    entries: readonly (keyof Ledger)[],
    { spans = 1, bytes }: { readonly spans?: number; readonly bytes: number },
  ): void {
    const own = this.byService.get(service) ?? emptyBooks();
    this.byService.set(service, own);
    for (const books of [this.all, own]) {
      for (const entry of entries) {
        books.spans[entry] += spans;
        books.bytes[entry] += bytes;
      }
    }
  }
}
