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
  AppendResult,
  BufferedRun,
  CopiedSpans,
  OldestSpans,
  Search,
  SequenceRange,
  Visit,
  Lease,
  Settlement,
} from "../../ports/trace-buffer.ts";
import { append, hasRoom, isFull, usedBytes, usedShare } from "./ring-append.ts";
import {
  copyOldest,
  copySpans,
  takeOldest,
  bufferedRange,
  oldestUnixMs,
  visitSpans,
} from "./ring-hand-over.ts";
import { leaseNewest, leaseOldest, settle, wholeLease } from "./ring-lease.ts";
import { bufferedSpans, readStats } from "./ring-ledger.ts";
import { createRingMemory, NEXT_SEQUENCE, openRingMemory, type RingMemory } from "./ring-memory.ts";
import { takeBefore } from "./ring-removal.ts";
import { restore, skipTo } from "./ring-restore.ts";
import { bufferedRanges, copyRun } from "./ring-runs.ts";
import { readServices } from "./ring-services.ts";
import { SharedLock } from "./shared-lock.ts";

export type OverflowPolicy = "drop_oldest" | "refuse";

/** Options, which must be equal on every thread that opens the ring. */
export interface BufferOptions {
  readonly codec: SpanCodec;
  /** Default: `drop_oldest`. */
  readonly overflowPolicy?: OverflowPolicy;
  /** The time source for when spans arrive. Default: the system clock. */
  readonly unixMs?: () => number;
}

/** The first sequence of a request that is restored, and when it arrived. */
export interface EarlierRequest {
  readonly sequence: number;
  readonly unixMs: number;
}

/** The limits of `addSpan`: one span, nested as deeply as readers can decode. */
const ONE_SPAN = { spansPerRequest: 1, nestingDepth: 100 };

/**
 * A ring buffer of encoded spans in shared memory. If it is full, it evicts the oldest spans.
 *
 * Every method holds the ring's lock for its copies and index writes, so several threads may share
 * one ring, each through its own instance: `create` on one thread, `open(shared)` on the others.
 */
export class ObservabilityBuffer implements TraceBuffer, TraceBufferPort {
  // Fixed at construction; what the lock guards is in the shared memory.
  private readonly ring: RingMemory;
  private readonly lock: SharedLock;
  private readonly codec: SpanCodec;
  private readonly mayEvict: boolean;
  private readonly unixMs: () => number;
  private readonly oneSpan = createWalkedRequest(ONE_SPAN);

  private constructor(ring: RingMemory, options: BufferOptions) {
    this.ring = ring;
    this.lock = new SharedLock(ring.lock);
    this.codec = options.codec;
    this.mayEvict = options.overflowPolicy !== "refuse";
    this.unixMs = options.unixMs ?? Date.now;
  }

  /** Creates a ring. `capacity.bytes` is a limit: pages that were never written take no memory. */
  static create(capacity: SpanAmount, options: BufferOptions): ObservabilityBuffer {
    return new ObservabilityBuffer(createRingMemory(capacity), options);
  }

  /** Opens the ring of another thread, from its `shared` memory. */
  static open(shared: SharedArrayBuffer, options: BufferOptions): ObservabilityBuffer {
    return new ObservabilityBuffer(openRingMemory(shared), options);
  }

  /** Returns the memory of the ring, for another thread. */
  get shared(): SharedArrayBuffer {
    return this.ring.shared;
  }

  /**
   * Appends a request that was walked without a fault and whose spans are all valid. `rejected` has
   * the amounts of spans that were cut out of it, for the ledger.
   */
  append(walked: WalkedRequest, rejected: readonly ServiceAmount[] = []): AppendResult {
    const request = { walked, rejected, mayEvict: this.mayEvict, unixMs: this.unixMs() };
    using _ = this.lock.hold();
    return append(this.ring, request);
  }

  /** Appends a request that arrived earlier, and begins at this sequence or a later one. */
  restore(walked: WalkedRequest, earlier: EarlierRequest): AppendResult {
    // Restored spans are also kept elsewhere, so they can leave the ring under either policy.
    const request = { walked, rejected: [], mayEvict: true, unixMs: earlier.unixMs };
    using _ = this.lock.hold();
    return restore(this.ring, request, earlier.sequence);
  }

  /** Runs a function of this folder on the ring, with the lock, for the log that extends it. */
  locked<Result>(use: (ring: RingMemory) => Result): Result {
    using _ = this.lock.hold();
    return use(this.ring);
  }

  /** Continues with this sequence, which no earlier span has. */
  skipTo(sequence: number): void {
    using _ = this.lock.hold();
    skipTo(this.ring, sequence);
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

  /** Copies the oldest `count` spans, or all; they stay buffered. */
  peek(count: number): OldestSpans {
    using _ = this.lock.hold();
    return copyOldest(this.ring, wholeSpans(count));
  }

  /** Removes and returns the oldest `count` spans that are not leased, or all of them. */
  take(count: number): OldestSpans {
    using _ = this.lock.hold();
    return takeOldest(this.ring, wholeSpans(count));
  }

  /** Returns the sequences of the buffered spans. */
  range(): SequenceRange {
    using _ = this.lock.hold();
    return bufferedRange(this.ring);
  }

  /**
   * Calls `visit` with each matching span in place; `visit` must not keep the reference. The lock
   * is held throughout, so callers search a large ring in pieces.
   */
  visit(search: Search, visit: Visit): void {
    using _ = this.lock.hold();
    visitSpans(this.ring, search, visit);
  }

  /** Copies the next spans that arrived together, from a sequence on. See `StoppedBuffer`. */
  copyRun(from: number): BufferedRun | undefined {
    using _ = this.lock.hold();
    return copyRun(this.ring, from);
  }

  /** Returns the sequences of all buffered spans. See `StoppedBuffer`. */
  ranges(): SequenceRange[] {
    using _ = this.lock.hold();
    return bufferedRanges(this.ring);
  }

  /** Copies spans by their sequences, in the order given, skipping those that have left. */
  copy(sequences: readonly number[]): CopiedSpans {
    using _ = this.lock.hold();
    return copySpans(this.ring, sequences);
  }

  /**
   * Removes all spans that are not leased, as taken; returns their number. Leased spans stay,
   * because they may have been delivered already.
   */
  clear(): number {
    using _ = this.lock.hold();
    return takeAll(this.ring);
  }

  /** Leases the oldest free spans, at least one; undefined when none is free. See `Lease`. */
  lease(limit: SpanAmount): Lease | undefined {
    using _ = this.lock.hold();
    return leaseOldest(this.ring, limit);
  }

  /** Leases the newest free span; undefined when none is free. */
  leaseNewest(): Lease | undefined {
    using _ = this.lock.hold();
    return leaseNewest(this.ring);
  }

  /**
   * Settles some or all spans of a lease. Returns how many of the spans to be returned had already
   * been evicted to make room, and are now counted as evicted.
   */
  settle(lease: Lease, settlement: Settlement | "taken", part = wholeLease(lease)): number {
    using _ = this.lock.hold();
    return settle(this.ring, lease, part, settlement);
  }

  /** Returns the ledger of each service, in the order in which services were first seen. */
  services(): ServiceStats[] {
    using _ = this.lock.hold();
    return readServices(this.ring);
  }

  /**
   * Returns the number of buffered spans, including leased ones. It can exceed the capacity,
   * because leased spans may have given up their slots already.
   */
  size(): number {
    using _ = this.lock.hold();
    return bufferedSpans(this.ring);
  }

  isFull(): boolean {
    using _ = this.lock.hold();
    return isFull(this.ring);
  }

  /** Reports whether a request of this many spans and bytes would evict nothing. */
  hasRoom(request: SpanAmount): boolean {
    using _ = this.lock.hold();
    return hasRoom(this.ring, request);
  }

  /**
   * Returns how many bytes of the capacity are used by spans, by the messages around them and by
   * gaps.
   */
  usedBytes(): number {
    using _ = this.lock.hold();
    return usedBytes(this.ring);
  }

  /** Always false: without a log, no span is on disk only. */
  hasSpilled(): boolean {
    return false;
  }

  /** Returns how full the ring is, from 0 to 1: the larger of the shares of spans and bytes. */
  usedShare(): number {
    using _ = this.lock.hold();
    return usedShare(this.ring);
  }

  /** Returns when the oldest span was received, leased or not; undefined when the ring is empty. */
  oldestUnixMs(): number | undefined {
    using _ = this.lock.hold();
    return oldestUnixMs(this.ring);
  }

  /** Returns counters that all belong to the same instant. */
  stats(): BufferStats {
    using _ = this.lock.hold();
    return readStats(this.ring);
  }
}

/** Returns the number of spans for any argument: 0 below one, and for NaN. */
function wholeSpans(count: number): number {
  return Math.max(0, Math.floor(count) || 0);
}

function takeAll(ring: RingMemory): number {
  return takeBefore(ring, ring.control[NEXT_SEQUENCE]!).spans;
}
