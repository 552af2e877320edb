import type { BufferStats, ServiceAmount, ServiceStats, SpanAmount } from "../../domain/ledger.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import type {
  AppendResult,
  CopiedSpans,
  Lease,
  LeasePart,
  OldestSpans,
  Search,
  SequenceRange,
  Settlement,
  TraceBuffer,
  Visit,
} from "../../ports/trace-buffer.ts";
import type { ObservabilityBuffer, OverflowPolicy } from "../ring/observability-buffer.ts";
import { wholeLease } from "../ring/ring-lease.ts";
import type { AppendOutcome, LogRequest } from "./log-state.ts";
import { addRange, gapsIn, removeRange, type SequenceRange as Range } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";

interface DurableParts {
  readonly ring: ObservabilityBuffer;
  readonly capacity: SpanAmount;
  readonly overflowPolicy: OverflowPolicy;
}

/**
 * A ring whose spans are also in a log on disk. `log` writes a request and calls `stored`, which
 * appends it here; spans that leave the ring leave the log. The two give each span the same
 * sequence.
 *
 *     log ──▶ write, sync ──▶ stored: append to the ring ──▶ acknowledged
 *                                     │ evicted, taken, delivered, undeliverable
 *     log ◀── departure ◀─────────────┘
 *
 * Invariant: every span of the ring is in the log. The log has more for a moment only: its oldest
 * segments, until they are removed.
 */
export class DurableBuffer implements TraceBuffer {
  // Fixed at construction; the state holds everything that changes.
  private readonly ring: ObservabilityBuffer;
  private readonly state: DurableState;

  constructor(parts: DurableParts) {
    this.ring = parts.ring;
    this.state = { parts, log: undefined, first: 1, leased: [], queued: { spans: 0, bytes: 0 } };
  }

  /** Uses this log from now on. The ring has been restored from it, except these spans. */
  attach(log: SpanLog, unfit: readonly Range[] = []): void {
    this.state.log = log;
    for (const range of unfit) log.remove(range, "evicted");
    forgetEvicted(this.state);
  }

  /**
   * Writes a request to the log. Resolves once it is as safe as the level promises and in the ring,
   * or refused.
   */
  log(request: LogRequest): Promise<AppendOutcome> {
    return logRequest(this.state, request);
  }

  /**
   * Evicts the spans of a segment that was removed to make room on the disk; called while the log
   * removes it, and so acts after that.
   */
  evictBefore(sequence: number): void {
    queueMicrotask(() => {
      this.ring.evictBefore(Math.min(sequence, this.ring.range().next));
      forgetEvicted(this.state);
    });
  }

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): AppendResult {
    const appended = this.ring.append(walked, rejected);
    forgetEvicted(this.state);
    return appended;
  }

  take(spanCount: number): OldestSpans {
    const taken = this.ring.take(spanCount);
    for (const range of runsOf(taken.sequences)) this.state.log?.remove(range, "taken");
    forgetEvicted(this.state);
    return taken;
  }

  clear(): number {
    const { first, next: end } = this.ring.range();
    const spans = this.ring.clear();
    removeUnleased(this.state, { first, end }, "taken");
    forgetEvicted(this.state);
    return spans;
  }

  lease(limit: SpanAmount): Lease | undefined {
    return noteLease(this.state, this.ring.lease(limit));
  }

  leaseNewest(): Lease | undefined {
    return noteLease(this.state, this.ring.leaseNewest());
  }

  settle(lease: Lease, settlement: Settlement, part: LeasePart = wholeLease(lease)): number {
    const evictedSpans = this.ring.settle(lease, settlement, part);
    noteSettled(this.state, lease.sequences.slice(part.first, part.end), settlement);
    return evictedSpans;
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
    return this.ring.oldestUnixMs();
  }

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

  usedShare(): number {
    return this.ring.usedShare();
  }

  stats(): BufferStats {
    return this.ring.stats();
  }
}

interface DurableState {
  // Fixed at construction.
  readonly parts: DurableParts;

  // Set by `attach`.
  log: SpanLog | undefined;

  // Moved by evictions: all earlier spans have left the ring, and the log unless they are leased.
  first: number;
  // Changed by leases: sequences that are leased, with or without a slot in the ring.
  readonly leased: Range[];
  // Changed by `log`: requests that are in the log's queue and not in the ring yet.
  readonly queued: { spans: number; bytes: number };
}

const FULL = "the buffer is full and OVERFLOW_POLICY is refuse; retry later";
const NOT_OPEN = "the log on disk is not open; retry later";

async function logRequest(state: DurableState, request: LogRequest): Promise<AppendOutcome> {
  const { log, queued, parts } = state;
  if (log === undefined) return { outcome: "failed", message: NOT_OPEN, retryAfterMs: 1_000 };
  const amount = { spans: request.spanCount, bytes: request.bytes.length };
  const refusal = refusalOf(state, amount);
  if (refusal !== undefined) return refusal;
  queued.spans += amount.spans;
  queued.bytes += amount.bytes;
  const stored = (firstSequence: number): void => {
    // The ring skips the sequences of a request whose callback has failed.
    parts.ring.skipTo(firstSequence);
    request.stored?.(firstSequence);
  };
  try {
    return await log.append({ ...request, stored });
  } finally {
    queued.spans -= amount.spans;
    queued.bytes -= amount.bytes;
  }
}

/**
 * Returns why the ring could not store a request once it is logged. If the ring has room for all
 * queued requests together, it has room for each in turn.
 */
function refusalOf(
  { parts, queued }: DurableState,
  request: SpanAmount,
): AppendOutcome | undefined {
  const { ring, capacity, overflowPolicy } = parts;
  if (request.bytes > capacity.bytes) return { outcome: "too_large" };
  if (overflowPolicy === "drop_oldest") return undefined;
  if (request.spans > capacity.spans) return { outcome: "too_large" };
  const all = { spans: queued.spans + request.spans, bytes: queued.bytes + request.bytes };
  return ring.hasRoom(all) ? undefined : { outcome: "refused", message: FULL };
}

/** Removes from the log what the ring has evicted since the last call. */
function forgetEvicted(state: DurableState): void {
  const { first } = state.parts.ring.range();
  if (first === state.first) return;
  removeUnleased(state, { first: state.first, end: first }, "evicted");
  state.first = first;
}

function removeUnleased(state: DurableState, range: Range, cause: "taken" | "evicted"): void {
  for (const free of gapsIn(range, state.leased)) state.log?.remove(free, cause);
}

function noteLease<Noted extends Lease | undefined>({ leased }: DurableState, lease: Noted): Noted {
  for (const range of runsOf(lease?.sequences ?? [])) addRange(leased, range);
  return lease;
}

/** Removes settled spans from the log; of the returned ones, those that have lost their slots. */
function noteSettled(
  state: DurableState,
  sequences: readonly number[],
  settlement: Settlement,
): void {
  const isReturned = settlement === "returned";
  const { first } = state.parts.ring.range();
  for (const range of runsOf(sequences)) {
    removeRange(state.leased, range);
    if (!isReturned) state.log?.remove(range, settlement);
  }
  const evicted = isReturned ? sequences.filter((sequence) => sequence < first) : [];
  for (const range of runsOf(evicted)) state.log?.remove(range, "evicted");
  forgetEvicted(state);
}

/** Returns sequences, which ascend, as ranges. */
function runsOf(sequences: readonly number[]): Range[] {
  const runs: Range[] = [];
  for (let at = 0; at < sequences.length;) {
    const first = at;
    for (at += 1; at < sequences.length && sequences[at] === sequences[at - 1]! + 1;) at += 1;
    runs.push({ first: sequences[first]!, end: sequences[at - 1]! + 1 });
  }
  return runs;
}
