import { compileFilter, type SpanMatcher } from "../../domain/query/span-matcher.ts";
import { traceIdHex } from "../../domain/wire/span-fields.ts";
import { timerMs } from "../../domain/time.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import type { Semaphore } from "./semaphore.ts";
import { readTrace, type TraceAnswer } from "../querying/read-trace.ts";
import { SharedFields } from "../ring/ring-search.ts";
import type { LackOfRoom, WaitParts, WaitRequest } from "./wait-for-spans.ts";
import type { SequenceRange } from "../../ports/trace-buffer.ts";

export interface TraceWaitParts extends WaitParts {
  readonly arrivals: WaitParts["arrivals"] & Pick<Arrivals, "showArrived">;
  /** One for each trace that is followed, by whichever wait: a timer and a subscription. */
  readonly followed: Pick<Semaphore, "take">;
}

export interface TraceWaitRequest extends WaitRequest {
  /** A trace is complete when its root is there and none of its spans has come for so long. */
  readonly quietMs: number;
  /** That are followed for this request, at least 1. */
  readonly maxTraces: number;
}

/** A trace that is complete; or none could be followed, so that none can be told of. */
export type FollowEnd = TraceAnswer | "none_followed";

/**
 * The traces of the spans that match so far, or as many of them as there is room for: those that
 * are followed may be complete before anybody has to know of the others.
 *
 * Invariant: each has a place, a subscription, and a timer while it may be complete, until `close`.
 * Once one is complete, none is read and none is added, though the ring is still looked through.
 */
export class FollowedTraces {
  // Fixed at construction.
  readonly matcher: SpanMatcher;
  private readonly parts: TraceWaitParts;
  private readonly request: TraceWaitRequest;
  private readonly fields = new SharedFields();
  private readonly whenEnded = Promise.withResolvers<FollowEnd>();

  // Moved by `look`, `inTurn` and `close`.
  private readonly closers = new Map<string, () => void>();
  private lastRead: Promise<unknown> = Promise.resolve();
  private isClosed = false;
  matchCount = 0;
  /** Why not all of them are followed. */
  lacking: LackOfRoom | undefined;

  constructor(parts: TraceWaitParts, request: TraceWaitRequest) {
    this.parts = parts;
    this.request = request;
    this.matcher = compileFilter(request.filter, this.fields.of);
  }

  get ended(): Promise<FollowEnd> {
    return this.whenEnded.promise;
  }

  /** Those that are followed, in the order in which they were found. */
  get traceIds(): readonly string[] {
    return [...this.closers.keys()];
  }

  /** Whoever appends is not the one to tell of an error: the wait is. */
  arrived(sequences: readonly number[]): void {
    try {
      this.look({ first: sequences[0]!, next: sequences.at(-1)! + 1 });
    } catch (error) {
      this.whenEnded.reject(error);
    }
  }

  /** Follows the traces of the spans in the range that match. */
  look({ first, next }: SequenceRange): void {
    const range = { first: Math.max(first, this.request.after + 1), next };
    const { matcher, fields } = this;
    const { spanCount, traceIds } = tracesIn(this.parts.buffer, { matcher, fields, range });
    this.matchCount += spanCount;
    for (const traceId of traceIds) this.follow(traceId);
  }

  close(): void {
    this.isClosed = true;
    for (const close of this.closers.values()) close();
  }

  private follow(traceId: string): void {
    if (this.isClosed || this.closers.has(traceId)) return;
    const isMost = this.closers.size === this.request.maxTraces;
    const leave = isMost ? undefined : this.parts.followed.take();
    if (leave === undefined) return this.lack(isMost ? "own_traces" : "all_traces");
    this.add(traceId, leave);
  }

  private add(traceId: string, leave: () => void): void {
    // Its place is taken first: to subscribe is to be shown what has arrived, perhaps more of it.
    this.closers.set(traceId, leave);
    const unfollow = this.subscribe(traceId);
    if (unfollow === undefined) return this.leave(traceId, leave);
    this.closers.set(traceId, () => void (unfollow(), leave()));
  }

  private subscribe(traceId: string): (() => void) | undefined {
    const { parts, request } = this;
    const quiet: Follow["quiet"] = (isQuiet) => this.inTurn(() => this.read(traceId, isQuiet));
    return followTrace({ parts, quietMs: request.quietMs, traceId, quiet });
  }

  /** One after the other: what was copied before the last was no answer, and can be dropped. */
  private inTurn(read: () => Promise<void>): void {
    const { lastRead, whenEnded } = this;
    this.lastRead = lastRead.then(read).catch(whenEnded.reject);
  }

  private async read(traceId: string, isQuiet: () => boolean): Promise<void> {
    if (this.isClosed || !isQuiet()) return;
    const trace = await readTrace(this.parts.buffer, traceId);
    const isWhole = trace.hasRoot && trace.sequences.length >= this.request.count;
    // What came while it was read is a reason to wait on.
    if (isWhole && isQuiet()) this.end(trace);
  }

  private end(trace: TraceAnswer): void {
    this.isClosed = true;
    this.whenEnded.resolve(trace);
  }

  /** Nobody can be subscribed to it: as many others are found by the same spans. */
  private leave(traceId: string, leave: () => void): void {
    leave();
    this.closers.delete(traceId);
    this.lack("all_traces");
  }

  private lack(lacking: LackOfRoom): void {
    this.lacking = lacking;
    if (this.closers.size === 0) this.whenEnded.resolve("none_followed");
  }
}

interface TraceSearch {
  readonly matcher: SpanMatcher;
  readonly fields: SharedFields;
  readonly range: SequenceRange;
}

/** How many spans match, and of which traces they are. Nobody is subscribed while this looks. */
function tracesIn(
  buffer: WaitParts["buffer"],
  { matcher, fields, range }: TraceSearch,
): { readonly spanCount: number; readonly traceIds: ReadonlySet<string> } {
  const traceIds = new Set<string>();
  let spanCount = 0;
  fields.reset();
  buffer.visit({ matcher, newestFirst: false, range }, (_, place) => {
    spanCount += 1;
    traceIds.add(traceIdHex(fields.of(place)));
    return true;
  });
  return { spanCount, traceIds };
}

interface Follow {
  readonly parts: TraceWaitParts;
  readonly quietMs: number;
  readonly traceId: string;
  /** Told each time that the trace has been quiet; what it is given tells whether it still is. */
  readonly quiet: (isQuiet: () => boolean) => void;
}

/**
 * Each span of the trace starts the quiet time anew. The function that is answered ends it;
 * undefined when nobody can be subscribed.
 */
function followTrace({ parts, quietMs, traceId, quiet }: Follow) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restart = () => {
    clearTimeout(timer);
    const started = setTimeout(() => quiet(() => isQuietSince(started)), timerMs(quietMs));
    timer = started;
  };
  // What has arrived, and is in the ring, may not have been shown yet.
  const isQuietSince = (started: typeof timer) => {
    parts.arrivals.showArrived();
    return timer === started;
  };
  const unsubscribe = parts.arrivals.subscribe([{ on: "trace_id", value: traceId }], restart);
  if (unsubscribe === undefined) return undefined;
  restart();
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
