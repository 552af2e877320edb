import type { BufferStats, ServiceAmount, ServiceStats, SpanAmount } from "../../domain/ledger.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import type {
  AppendResult,
  CopiedSpans,
  Lease,
  LeasePart,
  MaybeLater,
  OldestSpans,
  Search,
  SequenceRange,
  Settlement,
  TraceBuffer,
  Visit,
} from "../../ports/trace-buffer.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import { wholeLease } from "../ring/ring-lease.ts";
import { freeBytes } from "../ring/ring-removal.ts";
import { servicesOf } from "../ring/ring-services.ts";
import type { AppendOutcome, FoundDamage, LogRequest, MemoryWindow } from "./log-state.ts";
import { restoreFromLog } from "./restore-from-log.ts";
import type { SequenceRange as Range } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";
import {
  adoptLease,
  clearAll,
  type DurableState,
  evictDamaged,
  evictSegment,
  hold,
  keepSpilled,
  newDurableState,
  settle,
  usedShare,
} from "./spill-accounting.ts";
import { takeFromRing, takeSpilled } from "./take-spilled.ts";

interface DurableParts {
  /** Evicts what the log does not have; what the log has is never refused for lack of memory. */
  readonly ring: ObservabilityBuffer;
  readonly maxRequestBytes: number;
  /** Whether every span is in the log; otherwise it has those of an earlier run only. */
  readonly isWholeLog: boolean;
}

/**
 * A ring as a window onto a log, which may be larger: it has the newest spans. `log` writes a
 * request and calls `stored`, which appends it here. Both give each span the same sequence.
 *
 *     oldest                                                      newest
 *     │ spilled: on disk only                │ in the ring and on disk │
 *     └─▶ lease, take: read from the disk     └─▶ then from the ring, queries, waits
 *
 * A span is buffered until it departs from the log. The ledger is that of the ring.
 */
export class DurableBuffer implements TraceBuffer {
  // Fixed at construction; the state holds everything that changes.
  private readonly ring: ObservabilityBuffer;
  private readonly maxRequestBytes: number;
  private readonly isWholeLog: boolean;
  private readonly state: DurableState;
  /** What the log must know about the ring. */
  readonly memory: MemoryWindow;

  constructor({ ring, maxRequestBytes, isWholeLog }: DurableParts) {
    this.ring = ring;
    this.isWholeLog = isWholeLog;
    this.maxRequestBytes = maxRequestBytes;
    this.state = newDurableState(ring);
    this.memory = windowOf(this.state);
  }

  /** Uses this log from now on, and restores its spans: the newest into the ring. */
  async attach(log: SpanLog): Promise<void> {
    this.state.log = log;
    this.ring.locked((memory) => (memory.spill = (run) => keepSpilled(this.state, run)));
    await restoreFromLog(log, this.ring, this.state);
  }

  /**
   * Writes a request to the log. Resolves once it is as safe as the level promises and in the ring,
   * or refused.
   */
  async log(request: LogRequest): Promise<AppendOutcome> {
    if (request.bytes.length > this.maxRequestBytes) return { outcome: "too_large" };
    return await logRequest(this.state, request);
  }

  /** Evicts the spans of a segment that the log is removing to make room on the disk. */
  evict(segment: Range): void {
    evictSegment(this.state, segment);
  }

  /** Evicts the spilled spans of a damaged segment that cannot be read. */
  damaged(damage: FoundDamage): void {
    evictDamaged(this.state, damage);
  }

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult {
    return this.ring.append(walked, rejected);
  }

  take(spanCount: number): MaybeLater<OldestSpans> {
    if (!this.hasSpilled()) return takeFromRing(this.state, spanCount);
    return takeSpilled(this.state, spanCount);
  }

  clear(): number {
    return clearAll(this.state);
  }

  lease(limit: SpanAmount): MaybeLater<Lease | undefined> {
    if (!this.hasSpilled()) return hold(this.state, this.ring.lease(limit));
    return leaseOldest(this.state, limit);
  }

  leaseNewest(): Lease | undefined {
    return hold(this.state, this.ring.leaseNewest());
  }

  settle(lease: Lease, settlement: Settlement, part: LeasePart = wholeLease(lease)): number {
    return settle(this.state, lease, { settlement, part });
  }

  hasRoom(request: SpanAmount): boolean {
    return this.ring.hasRoom(request);
  }

  copy(sequences: readonly number[]): CopiedSpans {
    return this.ring.copy(sequences);
  }

  peek(spanCount: number): OldestSpans {
    return this.ring.peek(spanCount);
  }

  oldestUnixMs(): number | undefined {
    const { log, spilled } = this.state;
    return spilled.isEmpty ? this.ring.oldestUnixMs() : log!.stats().oldestUnixMs;
  }

  /** Returns the sequences in memory. */
  range(): SequenceRange {
    return this.ring.range();
  }

  visit(search: Search, visit: Visit): void {
    this.ring.visit(search, visit);
  }

  services(): ServiceStats[] {
    return this.ring.services();
  }

  usedBytes(): number {
    return this.ring.usedBytes();
  }

  hasSpilled(): boolean {
    return !this.state.spilled.isEmpty;
  }

  /** Returns how full the log or the ring is, whichever loses spans when it is full. */
  usedShare(): number {
    return this.isWholeLog ? usedShare(this.state) : this.ring.usedShare();
  }

  stats(): BufferStats {
    return { ...this.ring.stats(), spilled: this.state.spilled.total };
  }
}

function windowOf({ ring, found }: DurableState): MemoryWindow {
  return {
    services: (request) => ring.locked((memory) => servicesOf(memory, request)),
    found: (segment) => found.found(segment),
    range: () => ring.range(),
    freeBytes: ({ first, end }) => ring.locked((memory) => freeBytes(memory, first, end)),
  };
}

const NOT_OPEN = "the log on disk is not open; retry later";

async function logRequest(state: DurableState, request: LogRequest): Promise<AppendOutcome> {
  const { log, ring } = state;
  if (log === undefined) return { outcome: "failed", message: NOT_OPEN, retryAfterMs: 1_000 };
  const stored = (first: number): void => {
    // The ring skips the sequences of a request whose callback has failed.
    ring.skipTo(first);
    try {
      request.stored?.(first);
    } finally {
      // Without this, spans that the ring does not have would stay in the log uncounted.
      const { next } = ring.range();
      const absent = { first: next, end: first + request.spanCount };
      if (next === first) log.discard(absent, request.spanBytes);
    }
  };
  return await log.append({ ...request, stored });
}

/**
 * Leases from the disk or, once no span there is free, from the ring: at once, because spans that
 * leave the ring are older than those in it.
 */
async function leaseOldest(state: DurableState, limit: SpanAmount): Promise<Lease | undefined> {
  let lease: Lease | undefined;
  await state.log!.lease(limit, (spilled) => {
    lease = spilled ? adoptLease(state, spilled) : hold(state, state.ring.lease(limit));
  });
  return lease;
}
