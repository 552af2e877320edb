import type { SpanCondition, SpanFilter } from "../../domain/query/span-filter.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { countSpans, joinedSpans, querySpans, type SpanAnswer } from "../querying/query-spans.ts";
import type { IncompleteTrace } from "../querying/read-trace.ts";
import { type TimeLimit, timeLimit } from "./time-limit.ts";
import type { CopiedSpans, SequenceRange, SearchedBuffer } from "../../ports/trace-buffer.ts";

export interface WaitParts {
  readonly buffer: SearchedBuffer;
  readonly arrivals: Pick<Arrivals, "subscribe" | "seenNext">;
}

export interface WaitRequest {
  readonly filter: SpanFilter;
  /** Only spans with a greater sequence; 0 for all, those that are buffered already among them. */
  readonly after: number;
  /** At least 1. */
  readonly count: number;
  readonly timeoutMs: number;
  /** The one who waits has gone, or the program stops. */
  readonly cancelled: AbortSignal;
}

/** Why a trace is not followed: this wait, or all waits together, follow as many as they may. */
export type LackOfRoom = "own_traces" | "all_traces";

export type WaitOutcome =
  | { readonly outcome: "found"; readonly spans: SpanAnswer }
  | TimeUp
  | { readonly outcome: "cancelled" }
  /** It cannot be told: as many filters, or traces, are looked for as can be at a time. */
  | { readonly outcome: "no_room"; readonly for: "filter" | LackOfRoom };

export interface TimeUp {
  readonly outcome: "time_up";
  /** Spans that match. */
  readonly found: number;
  /** Not there either when the time has been up for long, so much is being looked for. */
  readonly nearest: NearMiss | undefined;
  /** Of a wait for a trace, one of those that match; not there for the same reason, too. */
  readonly incomplete?: FollowedTrace | undefined;
  readonly range: SequenceRange;
}

/** One of the traces that were waited for. */
export interface FollowedTrace extends IncompleteTrace {
  /** Followed, this one among them. */
  readonly traceCount: number;
}

/** What would have been found without the last condition: most likely, the one that is mistaken. */
export interface NearMiss {
  readonly without: SpanCondition;
  readonly count: number;
  /** The newest few of them. */
  readonly spans: CopiedSpans;
}

/**
 * Waits until as many spans as asked for are there, buffered before or arriving meanwhile. Each is
 * copied when it is found, so that what is evicted later counts all the same.
 */
export async function waitForSpans(parts: WaitParts, request: WaitRequest): Promise<WaitOutcome> {
  const { filter, after, count, timeoutMs, cancelled } = request;
  const gathered = new Gathered(parts.buffer, request);
  // From here on nothing is missed: what is there is looked through, what comes is told of.
  const unsubscribe = parts.arrivals.subscribe(filter, (sequences) => gathered.arrived(sequences));
  if (unsubscribe === undefined) return { outcome: "no_room", for: "filter" };
  const limit = timeLimit(timeoutMs, cancelled);
  try {
    const query = { filter, after, limit: count, newestFirst: false };
    const earlier = querySpans(parts.buffer, query).then((spans) => gathered.found(spans));
    const end = await Promise.race([gathered.enough, limit.over, failureOf(earlier)]);
    if (end === "cancelled") return { outcome: "cancelled" };
    // However short the time: what was there at its beginning counts, all of it.
    if (end === "time_up") await earlier;
    if (gathered.spanCount >= count) return { outcome: "found", spans: gathered.answer() };
    return await timeUp(parts, request, { found: gathered.spanCount, limit });
  } finally {
    unsubscribe();
    limit.clear();
  }
}

/** Settles only when the promise is rejected. */
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

/** It is of help, and not worth any wait: others who look through the ring make it long. */
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
 * The spans found so far, those that were there before the others.
 *
 * Invariant: spanCount = the spans of `earlier` and of all `later`; and of what has come and
 * matches, none is missing before the last of `later`.
 */
class Gathered {
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

  /** Whoever appends is not the one to tell of an error: the wait is. */
  arrived(sequences: readonly number[]): void {
    try {
      this.keep(sequences.filter((sequence) => sequence > this.request.after));
    } catch (error) {
      this.whenEnough.reject(error);
    }
  }

  answer(): SpanAnswer {
    const { earlier, later, request } = this;
    // The first look ended early, so that between it and what came later there may be others.
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

/** From the first to the last of them, but what was evicted before it was looked at. */
function withRange({ request, sequences }: CopiedSpans, lookedFrom: number): SpanAnswer {
  const first = Math.max(sequences[0]!, lookedFrom);
  return { request, sequences, range: { first, next: sequences.at(-1)! + 1 } };
}
