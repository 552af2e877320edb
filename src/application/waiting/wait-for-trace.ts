import { FollowedTraces, type TraceWaitParts, type TraceWaitRequest } from "./followed-traces.ts";
import { scanRing } from "../querying/ring-scan.ts";
import { readIncompleteTrace } from "../querying/read-trace.ts";
import { type TimeLimit, timeLimit } from "./time-limit.ts";
import { failureOf, type FollowedTrace, timeUp, type WaitOutcome } from "./wait-for-spans.ts";

/**
 * Waits for a whole trace: one with a span that matches, whose root has ended, which has at least
 * `count` spans, and which has been quiet for a while. All its spans are the answer. Where more
 * traces match than can be followed, one of those that are is as good as any.
 */
export async function waitForTrace(
  parts: TraceWaitParts,
  request: TraceWaitRequest,
): Promise<WaitOutcome> {
  const traces = new FollowedTraces(parts, request);
  const arrived = (sequences: readonly number[]) => traces.arrived(sequences);
  const unsubscribe = parts.arrivals.subscribe(request.filter, arrived);
  if (unsubscribe === undefined) return { outcome: "no_room", for: "filter" };
  const limit = timeLimit(request.timeoutMs, request.cancelled);
  try {
    const earlier = followBuffered(parts, request, traces);
    const end = await Promise.race([traces.ended, limit.over, failureOf(earlier)]);
    if (end === "cancelled") return { outcome: "cancelled" };
    // However short the time: what was there at its beginning counts, all of it.
    if (end === "time_up") await earlier;
    if (typeof end === "object") return { outcome: "found", spans: end };
    // Of those that were not followed, one may have been complete.
    if (traces.lacking !== undefined) return { outcome: "no_room", for: traces.lacking };
    const outcome = await timeUp(parts, request, { found: traces.matchCount, limit });
    return { ...outcome, incomplete: await incompleteTrace(parts, traces, limit) };
  } finally {
    unsubscribe();
    traces.close();
    limit.clear();
  }
}

/** Describes the first of them. Like a near miss it is of help, and not worth any wait. */
async function incompleteTrace(
  { buffer }: TraceWaitParts,
  { traceIds }: FollowedTraces,
  { isLongOver }: TimeLimit,
): Promise<FollowedTrace | undefined> {
  const [traceId] = traceIds;
  if (traceId === undefined || isLongOver()) return undefined;
  const trace = await readIncompleteTrace(buffer, traceId);
  return { ...trace, traceCount: traceIds.length };
}

async function followBuffered(
  { buffer }: TraceWaitParts,
  { after }: TraceWaitRequest,
  traces: FollowedTraces,
): Promise<void> {
  const look = { matcher: traces.matcher, after, newestFirst: false };
  await scanRing(buffer, look, (range) => {
    traces.look(range);
    return undefined;
  });
}
