import type { SequenceRange } from "../../ports/trace-buffer.ts";
import { compileFilter, type SpanMatcher } from "../../domain/query/span-matcher.ts";
import { traceIdHex } from "../../domain/wire/span-fields.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { readIncompleteTrace, readTrace, type TraceAnswer } from "../querying/read-trace.ts";
import { scanRing } from "../querying/ring-scan.ts";
import { SharedFields } from "../ring/ring-hand-over.ts";
import type { Semaphore } from "./semaphore.ts";
import {
  failureOf,
  type FollowedTrace,
  type LackOfRoom,
  type TimeLimit,
  timeLimit,
  timeUp,
  type WaitOutcome,
  type WaitParts,
  type WaitRequest,
} from "./wait-for-spans.ts";

export interface TraceWaitParts extends WaitParts {
  readonly arrivals: WaitParts["arrivals"] & Pick<Arrivals, "showArrived">;
  /** Permits for followed traces, over all waits, because each trace costs a subscription. */
  readonly followed: Pick<Semaphore, "take">;
}

export interface TraceWaitRequest extends WaitRequest {
  /**
   * The quiet time: a trace is complete if it has a root and none of its spans has arrived for this
   * long.
   */
  readonly quietMs: number;
  /** Maximum number of traces that this wait follows; at least 1. */
  readonly maxTraces: number;
}

/**
 * Waits for a complete trace: one with a matching span, with its root, with at least `count` spans,
 * and quiet for a while. The outcome has all its spans. If more traces match than can be followed,
 * any complete one among the followed traces is returned.
 */
export async function waitForTrace(
  parts: TraceWaitParts,
  request: TraceWaitRequest,
): Promise<WaitOutcome> {
  using resources = new DisposableStack();
  const traces = resources.use(new FollowedTraces(parts, request));
  const arrived = (sequences: readonly number[]) => traces.arrived(sequences);
  const unsubscribe = parts.arrivals.subscribe(request.filter, arrived);
  if (unsubscribe === undefined) return { outcome: "no_room", for: "filter" };
  resources.defer(unsubscribe);
  const limit = resources.use(timeLimit(parts.clock, request));
  const earlier = followBuffered(parts, request, traces);
  const complete = firstComplete(parts, request, traces);
  const end = await Promise.race([complete, traces.noneFollowed, limit.over, failureOf(earlier)]);
  if (end === "cancelled") return { outcome: "cancelled" };
  // All spans buffered when the wait began count, however short the time limit is.
  if (end === "time_up") await earlier;
  if (typeof end === "object") return { outcome: "found", spans: end };
  // A trace that was not followed may have been complete.
  if (traces.lacking !== undefined) return { outcome: "no_room", for: traces.lacking };
  const outcome = await timeUp(parts, request, { found: traces.matchCount, limit });
  return { ...outcome, incomplete: await incompleteTrace(parts, traces, limit) };
}

/**
 * Reads followed traces, one at a time, once each is quiet, until one is complete. Traces that are
 * quiet but incomplete are read again after their next span.
 */
async function firstComplete(
  { buffer, arrivals, clock }: TraceWaitParts,
  { quietMs, count }: TraceWaitRequest,
  traces: FollowedTraces,
): Promise<TraceAnswer> {
  for (;;) {
    const [quietest] = traces.arrivedMs;
    // oxlint-disable no-await-in-loop -- one trace at a time, so there is one copy at a time
    if (quietest === undefined) {
      await traces.nextArrival();
      continue;
    }
    const [traceId, arrivedMs] = quietest;
    await clock.sleep(arrivedMs + quietMs - clock.monotonicMs(), traces.closed);
    // A span may be in the ring without having been shown yet.
    arrivals.showArrived();
    if (traces.closed.aborted) return await new Promise<never>(() => {});
    if (traces.arrivedMs.get(traceId)! + quietMs > clock.monotonicMs()) continue;
    traces.arrivedMs.delete(traceId);
    const trace = await readTrace(buffer, traceId);
    // oxlint-enable no-await-in-loop
    arrivals.showArrived();
    const isWhole = trace.hasRoot && trace.sequences.length >= count;
    if (isWhole && !traces.arrivedMs.has(traceId)) return trace;
  }
}

/** Follows the traces of buffered spans. */
async function followBuffered(
  { buffer }: TraceWaitParts,
  { after }: TraceWaitRequest,
  traces: FollowedTraces,
): Promise<void> {
  const scan = { matcher: traces.matcher, after, newestFirst: false };
  await scanRing(buffer, scan, (range) => {
    traces.followIn(range);
    return undefined;
  });
}

/** Describes the first followed trace. Like a near miss, it helps but is not worth a wait. */
async function incompleteTrace(
  { buffer }: TraceWaitParts,
  { traceIds }: FollowedTraces,
  { isLongOver }: TimeLimit,
): Promise<FollowedTrace | undefined> {
  const [traceId] = traceIds;
  if (traceId === undefined || isLongOver()) return undefined;
  const trace = await readIncompleteTrace(buffer, traceId);
  return { ...trace, traceCount: traceIds.size };
}

/**
 * Holds the traces of matching spans, as many as there is room for.
 *
 * Invariant: each of `traceIds` has a permit and a subscription until this object is disposed of.
 * `arrivedMs` has the traces with a new span since they were last read.
 */
class FollowedTraces implements Disposable {
  // Fixed at construction.
  readonly matcher: SpanMatcher;
  private readonly parts: TraceWaitParts;
  private readonly request: TraceWaitRequest;
  private readonly fields = new SharedFields();
  private readonly resources = new DisposableStack();
  private readonly closing = new AbortController();
  private readonly whenNone = Promise.withResolvers<"none_followed">();

  // Moved by `followIn`.
  readonly traceIds = new Set<string>();
  matchCount = 0;
  /** Says why some traces are not followed; undefined while all are. */
  lacking: LackOfRoom | undefined;

  // Moved by `noteArrival` and by `firstComplete`.
  /** The time of each trace's last arrival, the earliest first. */
  readonly arrivedMs = new Map<string, number>();
  private arrival = Promise.withResolvers<void>();

  constructor(parts: TraceWaitParts, request: TraceWaitRequest) {
    this.parts = parts;
    this.request = request;
    this.matcher = compileFilter(request.filter, this.fields.of);
  }

  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** Resolves if no matching trace can be followed; rejects if an arrival cannot be handled. */
  get noneFollowed(): Promise<"none_followed"> {
    return this.whenNone.promise;
  }

  /**
   * Follows the traces of new spans. Errors are passed to the wait, because the caller is an
   * append, which they do not concern.
   */
  arrived(sequences: readonly number[]): void {
    try {
      this.followIn({ first: sequences[0]!, next: sequences.at(-1)! + 1 });
    } catch (error) {
      this.whenNone.reject(error);
    }
  }

  /** Follows the traces of matching spans in the range. */
  followIn({ first, next }: SequenceRange): void {
    const range = { first: Math.max(first, this.request.after + 1), next };
    const { matcher, fields, parts } = this;
    const { spanCount, traceIds } = tracesIn(parts.buffer, { matcher, fields, range });
    this.matchCount += spanCount;
    for (const traceId of traceIds) this.follow(traceId);
  }

  nextArrival(): Promise<void> {
    this.arrival = Promise.withResolvers();
    return this.arrival.promise;
  }

  [Symbol.dispose](): void {
    this.closing.abort();
    this.resources.dispose();
  }

  private follow(traceId: string): void {
    if (this.closed.aborted || this.traceIds.has(traceId)) return;
    const isFull = this.traceIds.size === this.request.maxTraces;
    const release = isFull ? undefined : this.parts.followed.take();
    if (release === undefined) this.lack(isFull ? "own_traces" : "all_traces");
    else this.add(traceId, release);
  }

  private add(traceId: string, release: () => void): void {
    // Added before subscribing, because subscribing shows new spans, which may belong to this
    // trace.
    this.traceIds.add(traceId);
    this.noteArrival(traceId);
    const unsubscribe = this.subscribe(traceId);
    if (unsubscribe === undefined) this.giveUp(traceId, release);
    else this.keep(release, unsubscribe);
  }

  private subscribe(traceId: string): (() => void) | undefined {
    const filter = [{ on: "trace_id", value: traceId }] as const;
    return this.parts.arrivals.subscribe(filter, () => this.noteArrival(traceId));
  }

  private keep(release: () => void, unsubscribe: () => void): void {
    this.resources.defer(release);
    this.resources.defer(unsubscribe);
  }

  /**
   * Records the time of an arrival. It deletes first, so that the trace moves to the end of the
   * map.
   */
  private noteArrival(traceId: string): void {
    this.arrivedMs.delete(traceId);
    this.arrivedMs.set(traceId, this.parts.clock.monotonicMs());
    this.arrival.resolve();
  }

  /** Stops following a trace for which the filter index has no room. */
  private giveUp(traceId: string, release: () => void): void {
    this.traceIds.delete(traceId);
    this.arrivedMs.delete(traceId);
    release();
    this.lack("all_traces");
  }

  private lack(lacking: LackOfRoom): void {
    this.lacking = lacking;
    if (this.traceIds.size === 0) this.whenNone.resolve("none_followed");
  }
}

interface TraceSearch {
  readonly matcher: SpanMatcher;
  readonly fields: SharedFields;
  readonly range: SequenceRange;
}

/**
 * Counts matching spans and returns their traces. Callers can subscribe only after it has returned.
 */
function tracesIn(
  buffer: WaitParts["buffer"],
  { matcher, fields, range }: TraceSearch,
): { readonly spanCount: number; readonly traceIds: ReadonlySet<string> } {
  const traceIds = new Set<string>();
  let spanCount = 0;
  fields.reset();
  buffer.visit({ matcher, newestFirst: false, range }, (_, location) => {
    spanCount += 1;
    traceIds.add(traceIdHex(fields.of(location)));
    return true;
  });
  return { spanCount, traceIds };
}
