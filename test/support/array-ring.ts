import type { Appended } from "../../src/application/ring-append.ts";
import type { SpanAmount } from "../../src/application/ring-ledger.ts";
import type { BufferStats, Ledger } from "../../src/domain/ledger.ts";
import { encodeKept, type RequestShape, type SpanShape, spansOf } from "./request-shape.ts";

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
}

type Book = { -readonly [Entry in keyof Ledger]: number };

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
  private readonly spans = emptyBook();
  private readonly bytes = emptyBook();

  constructor(capacity: SpanAmount) {
    this.capacity = capacity;
  }

  append(request: ShapedRequest, rejected: SpanAmount, mayEvict: boolean): Appended {
    const spans = spansOf(request.shape);
    const { capacity } = this;
    if (request.bytes.length > capacity.bytes) return { outcome: "too_large" };
    if (!mayEvict && spans.length > capacity.spans) return { outcome: "too_large" };
    const hasSlots = () => this.buffered.length + spans.length <= capacity.spans;
    const place = () => this.placeFor(request.bytes.length);
    if (!mayEvict && !(hasSlots() && place() !== undefined)) return { outcome: "refused" };
    const evictedBefore = this.spans.evicted;
    while (!hasSlots() && this.buffered.length > 0) this.remove(1, "evicted");
    while (place() === undefined) this.remove(this.oldestBlock().length, "evicted");
    const block = { ...request, place: place()! };
    this.buffered.push(...spans.map((span) => ({ span, block })));
    for (const span of spans) this.book(span.body.length, ["received", "accepted", "buffered"]);
    this.remove(Math.max(0, this.buffered.length - capacity.spans), "evicted");
    this.bookRejected(rejected);
    return { outcome: "accepted", evictedSpans: this.spans.evicted - evictedBefore };
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

  get size(): number {
    return this.buffered.length;
  }

  isFull(): boolean {
    return this.size === this.capacity.spans || this.placeFor(SMALLEST_BYTES) === undefined;
  }

  stats(): BufferStats {
    const next = this.spans.accepted + 1;
    const sequence = { first: next - this.size, next };
    return { spans: this.spans, bytes: this.bytes, capacity: this.capacity, sequence };
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
    for (const { span } of this.buffered.splice(0, spanCount)) {
      this.book(span.body.length, [entry]);
      this.spans.buffered -= 1;
      this.bytes.buffered -= span.body.length;
    }
  }

  private book(lengthBytes: number, entries: readonly (keyof Ledger)[]): void {
    for (const entry of entries) {
      this.spans[entry] += 1;
      this.bytes[entry] += lengthBytes;
    }
  }

  private bookRejected(rejected: SpanAmount): void {
    this.spans.received += rejected.spans;
    this.spans.rejected += rejected.spans;
    this.bytes.received += rejected.bytes;
    this.bytes.rejected += rejected.bytes;
  }
}
