import type { SleepingClock } from "../../ports/clock.ts";
import type { SpanCondition, SpanFilter } from "../../domain/query/span-filter.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { countSpans, joinedSpans, querySpans, type SpanAnswer } from "../querying/query-spans.ts";
import type { IncompleteTrace } from "../querying/read-trace.ts";
import type { CopiedSpans, SearchedBuffer, SequenceRange } from "../../ports/trace-buffer.ts";

export interface WaitParts {
  readonly buffer: SearchedBuffer;
  readonly arrivals: Pick<Arrivals, "subscribe" | "seenNext">;
  readonly clock: SleepingClock;
}

export interface WaitRequest {
  readonly filter: SpanFilter;
  /**
   * Selects only spans with a greater sequence; 0 selects all, including spans already buffered.
   */
  readonly after: number;
  /** At least 1. */
  readonly count: number;
  readonly timeoutMs: number;
  /** Aborted when the client has gone or the program stops. */
  readonly cancelled: AbortSignal;
}

/** Says why a trace is not followed: this wait, or all waits together, already follow too many. */
export type LackOfRoom = "own_traces" | "all_traces";

export type WaitOutcome =
  | { readonly outcome: "found"; readonly spans: SpanAnswer }
  | TimeUp
  | { readonly outcome: "cancelled" }
  /** Waits need too many filters or traces, so this one could miss spans. */
  | { readonly outcome: "no_room"; readonly for: "filter" | LackOfRoom };

export interface TimeUp {
  readonly outcome: "time_up";
  /** The number of matching spans. */
  readonly found: number;
  /** Undefined for a filter without conditions, or if other searches take too long. */
  readonly nearest: NearMiss | undefined;
  /**
   * One of the traces followed by a wait for a trace; undefined if no span matches, or if other
   * searches take too long.
   */
  readonly incomplete?: FollowedTrace | undefined;
  readonly range: SequenceRange;
}

/** Describes one of the traces that a wait follows. */
export interface FollowedTrace extends IncompleteTrace {
  /** The number of traces that the wait follows. */
  readonly traceCount: number;
}

/**
 * Describes the spans that match without the last condition, which is most likely the mistaken one.
 */
export interface NearMiss {
  readonly without: SpanCondition;
  readonly count: number;
  /** The newest few spans. */
  readonly spans: CopiedSpans;
}

/**
 * Waits until `count` matching spans are buffered or have arrived. Each is copied when it is found,
 * so it counts even if it is evicted later.
 */
export async function waitForSpans(parts: WaitParts, request: WaitRequest): Promise<WaitOutcome> {
  const { filter, after, count } = request;
  using resources = new DisposableStack();
  const gathered = new GatheredSpans(parts.buffer, request);
  // From here on, no span is missed: the ring is searched, and arrivals are reported.
  const unsubscribe = parts.arrivals.subscribe(filter, (sequences) => gathered.arrived(sequences));
  if (unsubscribe === undefined) return { outcome: "no_room", for: "filter" };
  resources.defer(unsubscribe);
  const limit = resources.use(timeLimit(parts.clock, request));
  const query = { filter, after, limit: count, newestFirst: false };
  const earlier = querySpans(parts.buffer, query).then((spans) => gathered.found(spans));
  const end = await Promise.race([gathered.enough, limit.over, failureOf(earlier)]);
  if (end === "cancelled") return { outcome: "cancelled" };
  // All spans buffered when the wait began count, however short the time limit is.
  if (end === "time_up") await earlier;
  if (gathered.spanCount >= count) return { outcome: "found", spans: gathered.answer() };
  return await timeUp(parts, request, { found: gathered.spanCount, limit });
}

export type TimeLimitEnd = "time_up" | "cancelled";

export interface TimeLimit extends Disposable {
  /** Resolves at the time limit, or as soon as the wait is cancelled. */
  readonly over: Promise<TimeLimitEnd>;
  /** Reports whether twice the time limit has passed; after that, only essential work is done. */
  isLongOver(): boolean;
}

const MIN_OVERTIME_MS = 1_000;

export function timeLimit(
  clock: SleepingClock,
  { timeoutMs, cancelled }: Pick<WaitRequest, "timeoutMs" | "cancelled">,
): TimeLimit {
  const { promise, resolve } = Promise.withResolvers<TimeLimitEnd>();
  const disposed = new AbortController();
  const longOverMs = clock.monotonicMs() + timeoutMs + Math.max(timeoutMs, MIN_OVERTIME_MS);
  const cancel = () => resolve("cancelled");
  cancelled.addEventListener("abort", cancel, { once: true });
  if (cancelled.aborted) cancel();
  void clock.sleep(timeoutMs, disposed.signal).then(() => resolve("time_up"));
  const dispose = () => {
    cancelled.removeEventListener("abort", cancel);
    disposed.abort();
  };
  const isLongOver = () => clock.monotonicMs() >= longOverMs;
  return { over: promise, isLongOver, [Symbol.dispose]: dispose };
}

/** Returns a promise that rejects with this one and never resolves. */
export function failureOf(promise: Promise<void>): Promise<never> {
  return new Promise((_, reject) => void promise.catch(reject));
}

export async function timeUp(
  { buffer, arrivals }: WaitParts,
  request: WaitRequest,
  { found, limit }: { readonly found: number; readonly limit: TimeLimit },
): Promise<TimeUp> {
  const next = arrivals.seenNext;
  const first = Math.min(next, Math.max(request.after + 1, buffer.range().first));
  const nearest = found < request.count ? await nearMiss(buffer, request, limit) : undefined;
  return { outcome: "time_up", found, nearest, range: { first, next } };
}

/**
 * Finds the near miss of a wait. Gives up once the time is long over, because its help is not worth
 * waiting for other searches.
 */
async function nearMiss(
  buffer: SearchedBuffer,
  { filter, after }: WaitRequest,
  { isLongOver }: TimeLimit,
): Promise<NearMiss | undefined> {
  const without = filter.at(-1);
  if (without === undefined || isLongOver()) return undefined;
  const { count, newest } = await countSpans(buffer, filter.slice(0, -1), after, isLongOver);
  return isLongOver() ? undefined : { without, count, spans: newest };
}

/**
 * Holds the matching spans found so far, buffered ones first.
 *
 * Invariant: spanCount = the number of spans in `earlier` and `later`, and no matching span before
 * the last of `later` is missing.
 */
class GatheredSpans {
  // Fixed at construction.
  private readonly buffer: SearchedBuffer;
  private readonly request: WaitRequest;
  private readonly whenEnough = Promise.withResolvers<"enough">();

  // Moved by `found` and `arrived`.
  private earlier: SpanAnswer | undefined;
  private readonly later: CopiedSpans[] = [];
  spanCount = 0;

  constructor(buffer: SearchedBuffer, request: WaitRequest) {
    this.buffer = buffer;
    this.request = request;
  }

  get enough(): Promise<"enough"> {
    return this.whenEnough.promise;
  }

  found(spans: SpanAnswer): void {
    this.earlier = spans;
    this.count(spans);
  }

  /**
   * Adds spans. Errors are passed to the wait, because the caller is an append, which they do not
   * concern.
   */
  arrived(sequences: readonly number[]): void {
    try {
      this.keep(sequences.filter((sequence) => sequence > this.request.after));
    } catch (error) {
      this.whenEnough.reject(error);
    }
  }

  answer(): SpanAnswer {
    const { earlier, later, request } = this;
    // The search ended early, so more matching spans may lie between its end and `later`.
    const isEnough = earlier !== undefined && earlier.sequences.length >= request.count;
    const parts = earlier === undefined ? later : [earlier, ...(isEnough ? [] : later)];
    return withRange(joinedSpans(parts), earlier?.range.first ?? 0);
  }

  private keep(wanted: readonly number[]): void {
    if (wanted.length === 0) return;
    const spans = this.buffer.copy(wanted.slice(0, this.request.count - this.spanCount));
    this.later.push(spans);
    this.count(spans);
  }

  private count({ sequences }: CopiedSpans): void {
    this.spanCount += sequences.length;
    if (this.spanCount >= this.request.count) this.whenEnough.resolve("enough");
  }
}

/** Adds the range from the first span to the last, excluding spans evicted before the search. */
function withRange({ request, sequences }: CopiedSpans, searchedFrom: number): SpanAnswer {
  const first = Math.max(sequences[0]!, searchedFrom);
  return { request, sequences, range: { first, next: sequences.at(-1)! + 1 } };
}
