import type { BufferStats, ServiceStats, ServiceAmount, SpanAmount } from "../../domain/ledger.ts";
import type { TraceSpan } from "../../domain/trace-span.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { NO_FAULT } from "../../domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
  rejectedByService,
} from "../../domain/wire/walked-request.ts";
import type {
  SpanCodec,
  TraceBufferPort,
  TraceBuffer,
  Appended,
  CopiedSpans,
  OldestSpans,
  Search,
  SequenceRange,
  Visit,
  Lease,
  LeasePart,
  Settlement,
} from "../../ports/trace-buffer.ts";
import { append, hasRoom, isFull, usedBytes, usedShare } from "./ring-append.ts";
import { copyOldest, copySpans, takeOldest } from "./ring-hand-over.ts";
import { leaseNewest, leaseOldest, settle, wholeLease } from "./ring-lease.ts";
import { bufferedSpans, readStats } from "./ring-ledger.ts";
import { createRingMemory, NEXT_SEQUENCE, openRingMemory, type RingMemory } from "./ring-memory.ts";
import { takeBefore } from "./ring-removal.ts";
import { bufferedRange, oldestUnixMs, visitSpans } from "./ring-search.ts";
import { readServices } from "./ring-services.ts";
import { withLock } from "./shared-lock.ts";

export type OverflowPolicy = "drop_oldest" | "refuse";

/** The same on every thread that opens the ring. */
export interface BufferOptions {
  readonly codec: SpanCodec;
  /** Default: the oldest spans make room. */
  readonly overflowPolicy?: OverflowPolicy;
  /** Tells when a service was last seen. Default: the system's clock. */
  readonly unixMs?: () => number;
}

/** One span a request, however deep its attributes may be: what the readers can decode. */
const ONE_SPAN = { spansPerRequest: 1, nestingDepth: 100 };

/**
 * The ring: spans as the bytes they came in, in shared memory, the oldest first to go.
 *
 * Every method holds the ring's lock for its copy and its index writes, so that several threads may
 * use one ring, each through an instance of its own: `create` on one, `open(shared)` on the others.
 */
export class ObservabilityBuffer implements TraceBuffer, TraceBufferPort {
  // Fixed at construction; what the lock guards is in the shared memory.
  private readonly ring: RingMemory;
  private readonly codec: SpanCodec;
  private readonly mayEvict: boolean;
  private readonly unixMs: () => number;
  private readonly oneSpan = createWalkedRequest(ONE_SPAN);

  private constructor(ring: RingMemory, options: BufferOptions) {
    this.ring = ring;
    this.codec = options.codec;
    this.mayEvict = options.overflowPolicy !== "refuse";
    this.unixMs = options.unixMs ?? Date.now;
  }

  /** A new ring. `capacity.bytes` is a limit: pages that were never written take no memory. */
  static create(capacity: SpanAmount, options: BufferOptions): ObservabilityBuffer {
    return new ObservabilityBuffer(createRingMemory(capacity), options);
  }

  /** The ring of another thread, which passed its `shared` memory here. */
  static open(shared: SharedArrayBuffer, options: BufferOptions): ObservabilityBuffer {
    return new ObservabilityBuffer(openRingMemory(shared), options);
  }

  /** The ring itself, to be passed to another thread. */
  get shared(): SharedArrayBuffer {
    return this.ring.shared;
  }

  /**
   * Puts in a request that was walked without a fault and whose spans are all valid. `rejected` is
   * what was left out of it, for the books.
   */
  append(walked: WalkedRequest, rejected: readonly ServiceAmount[] = []): Appended {
    const request = { walked, rejected, mayEvict: this.mayEvict, unixMs: this.unixMs() };
    return withLock(this.ring.lock, () => append(this.ring, request));
  }

  addSpan(span: TraceSpan): boolean {
    const walked = this.oneSpan;
    walkRequest(walked, this.codec.encode(span));
    if (walked.fault !== NO_FAULT) return false;
    const appended = this.append(walked, rejectedByService(walked));
    return appended.outcome === "accepted" && walked.spanCount === 1;
  }

  getSpans(count: number): TraceSpan[] {
    return this.codec.decode(this.take(count).request);
  }

  /** Copies the oldest spans, `count` of them or all that are buffered; they stay. */
  peek(count: number): OldestSpans {
    return withLock(this.ring.lock, () => copyOldest(this.ring, wholeSpans(count)));
  }

  /** Removes and returns the oldest spans that are not leased, `count` of them or all. */
  take(count: number): OldestSpans {
    return withLock(this.ring.lock, () => takeOldest(this.ring, wholeSpans(count)));
  }

  /** Sequences of what is buffered now. */
  range(): SequenceRange {
    return withLock(this.ring.lock, () => bufferedRange(this.ring));
  }

  /**
   * Shows every span that matches, in place, to `visit`, which must not keep it. All within one
   * hold of the lock: a large ring is looked through in pieces.
   */
  visit(search: Search, visit: Visit): void {
    withLock(this.ring.lock, () => visitSpans(this.ring, search, visit));
  }

  /** Spans by their sequences, in the order given; without those that are gone. They stay. */
  copy(sequences: readonly number[]): CopiedSpans {
    return withLock(this.ring.lock, () => copySpans(this.ring, sequences));
  }

  /**
   * Removes every span that nobody has, as taken; answers how many there were. What is leased
   * stays: it may have been delivered already.
   */
  clear(): number {
    return withLock(this.ring.lock, () => takeAll(this.ring));
  }

  /** The oldest spans that nobody has, at least one if there is one; see `Lease`. */
  lease(limit: SpanAmount): Lease | undefined {
    return withLock(this.ring.lock, () => leaseOldest(this.ring, limit));
  }

  /** The newest span that nobody has. */
  leaseNewest(): Lease | undefined {
    return withLock(this.ring.lock, () => leaseNewest(this.ring));
  }

  /**
   * Ends the lease of some of its spans, or of all. Answers how many were evicted: they were to be
   * returned, and had made room.
   */
  settle(lease: Lease, settlement: Settlement, part: LeasePart = wholeLease(lease)): number {
    return withLock(this.ring.lock, () => settle(this.ring, lease, part, settlement));
  }

  /** The ledger by service, in the order in which they were first seen. */
  services(): ServiceStats[] {
    return withLock(this.ring.lock, () => readServices(this.ring));
  }

  /** With those in flight; of these some may have made room, so it can exceed the capacity. */
  size(): number {
    return withLock(this.ring.lock, () => bufferedSpans(this.ring));
  }

  isFull(): boolean {
    return withLock(this.ring.lock, () => isFull(this.ring));
  }

  /** Whether a request of so many spans, and of so many bytes as a whole, evicts nothing. */
  hasRoom(request: SpanAmount): boolean {
    return withLock(this.ring.lock, () => hasRoom(this.ring, request));
  }

  /** Of the capacity: spans, what lies around them in their requests, and gaps. */
  usedBytes(): number {
    return withLock(this.ring.lock, () => usedBytes(this.ring));
  }

  /** How full it is, from 0 to 1: of spans or of bytes, whichever there is less room for. */
  usedShare(): number {
    return withLock(this.ring.lock, () => usedShare(this.ring));
  }

  /** When the oldest span that is there was received, leased or not; undefined when none is. */
  oldestUnixMs(): number | undefined {
    return withLock(this.ring.lock, () => oldestUnixMs(this.ring));
  }

  /** Every number is of the same instant. */
  stats(): BufferStats {
    return withLock(this.ring.lock, () => readStats(this.ring));
  }
}

/**
 * A reader may ask for anything; for less than one span, and for what is no number, it gets none.
 */
function wholeSpans(count: number): number {
  return Math.max(0, Math.floor(count) || 0);
}

function takeAll(ring: RingMemory): number {
  return takeBefore(ring, ring.control[NEXT_SEQUENCE]!).spans;
}
