import { compileFilter, type SpanPlace } from "../domain/query/span-matcher.ts";
import { traceIdHex } from "../domain/wire/span-digest.ts";
import { createSpanFields, readSpanFields } from "../domain/wire/span-fields.ts";
import { lookThrough } from "./look-through.ts";
import { readTrace, type TraceAnswer } from "./read-trace.ts";
import { timeLimit } from "./time-limit.ts";
import {
  failureOf,
  timeUp,
  type WaitOutcome,
  type WaitParts,
  type WaitRequest,
} from "./wait-for-spans.ts";

export interface TraceWaitRequest extends WaitRequest {
  /** A trace is complete when its root is there and none of its spans has come for so long. */
  readonly quietMs: number;
}

/** Followed at a time: the first ones. Each costs a timer. */
const MOST_TRACES = 64;

/**
 * Waits for a whole trace: one with a span that matches, whose root has ended, which has at least
 * `count` spans, and which has been quiet for a while. All its spans are the answer.
 */
export async function waitForTrace(
  parts: WaitParts,
  request: TraceWaitRequest,
): Promise<WaitOutcome> {
  const traces = new FollowedTraces(parts, request);
  const arrived = (sequences: readonly number[]) => traces.arrived(sequences);
  const unsubscribe = parts.arrivals.subscribe(request.filter, arrived);
  const limit = timeLimit(request.timeoutMs, request.cancelled);
  try {
    const earlier = followBuffered(parts, request, traces);
    const end = await Promise.race([traces.complete, limit.over, failureOf(earlier)]);
    if (end === "cancelled") return { outcome: "cancelled" };
    if (end === "time_up") {
      // However short the time: what was there at its beginning counts, all of it.
      await earlier;
      return await timeUp(parts, request, traces.matchCount);
    }
    return { outcome: "found", spans: end };
  } finally {
    unsubscribe();
    traces.close();
    limit.clear();
  }
}

async function followBuffered(
  { buffer }: WaitParts,
  { filter, after }: TraceWaitRequest,
  traces: FollowedTraces,
): Promise<void> {
  const look = { matcher: compileFilter(filter), after, newestFirst: false };
  await lookThrough(buffer, look, (range) => {
    const found: number[] = [];
    buffer.visit({ ...look, range }, (sequence) => found.push(sequence) > 0);
    for (const sequence of found) traces.follow(sequence);
    return undefined;
  });
}

/**
 * The traces of the spans that match so far.
 *
 * Invariant: each has a timer while it may be complete, and a subscription until `close`; after it,
 * none is added, though the ring may still be looked through.
 */
class FollowedTraces {
  // Fixed at construction.
  private readonly parts: WaitParts;
  private readonly request: TraceWaitRequest;
  private readonly whenComplete = Promise.withResolvers<TraceAnswer>();

  // Moved by `follow` and `close`.
  private readonly closers = new Map<string, (() => void) | undefined>();
  private isClosed = false;
  matchCount = 0;

  constructor(parts: WaitParts, request: TraceWaitRequest) {
    this.parts = parts;
    this.request = request;
  }

  get complete(): Promise<TraceAnswer> {
    return this.whenComplete.promise;
  }

  /** Whoever appends is not the one to tell of an error: the wait is. */
  arrived(sequences: readonly number[]): void {
    try {
      for (const sequence of sequences) this.follow(sequence);
    } catch (error) {
      this.whenComplete.reject(error);
    }
  }

  follow(sequence: number): void {
    const isWanted = !this.isClosed && sequence > this.request.after;
    const traceId = isWanted ? traceOf(this.parts, sequence) : undefined;
    if (traceId === undefined) return;
    this.matchCount += 1;
    if (this.closers.size < MOST_TRACES && !this.closers.has(traceId)) this.add(traceId);
  }

  close(): void {
    this.isClosed = true;
    for (const close of this.closers.values()) close?.();
  }

  private add(traceId: string): void {
    const { parts, request, whenComplete } = this;
    // Its place is taken first: to subscribe is to be shown what has arrived, perhaps more of it.
    this.closers.set(traceId, undefined);
    this.closers.set(traceId, followTrace({ parts, request, traceId, ...whenComplete }));
  }
}

/** Undefined when it has been evicted meanwhile. */
function traceOf({ buffer }: WaitParts, sequence: number): string | undefined {
  const fields = createSpanFields();
  let traceId: string | undefined;
  const range = { first: sequence, next: sequence + 1 };
  const look = { matcher: compileFilter([]), newestFirst: false, range };
  buffer.visit(look, (_, { bytes, spanOffset, spanLength }: SpanPlace) => {
    readSpanFields(fields, bytes, spanOffset, spanLength);
    traceId = traceIdHex(fields);
    return false;
  });
  return traceId;
}

interface Follow {
  readonly parts: WaitParts;
  readonly request: TraceWaitRequest;
  readonly traceId: string;
  readonly resolve: (trace: TraceAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Each span of the trace starts the quiet time anew. The function that is answered ends it. */
function followTrace({ parts, request, traceId, resolve, reject }: Follow): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const look = async () => {
    const looked = timer;
    const trace = await readTrace(parts.buffer, traceId);
    const isWhole = trace.hasRoot && trace.sequences.length >= request.count;
    // What came while it was read is a reason to wait on.
    if (isWhole && timer === looked) resolve(trace);
  };
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look().catch(reject), request.quietMs);
  };
  restart();
  const unsubscribe = parts.arrivals.subscribe([{ on: "trace_id", value: traceId }], restart);
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
