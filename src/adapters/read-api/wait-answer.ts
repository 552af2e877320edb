import type { Cursor } from "../../domain/cursor.ts";
import { waitForSpans, type WaitOutcome } from "../../application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../application/waiting/wait-for-trace.ts";
import { type Cancellation, cancelledBy, type HeldAnswer, heldBuffer } from "./answer-budget.ts";
import type { SpanType } from "./media-type.ts";
import type { Semaphore } from "../../application/waiting/semaphore.ts";
import { BUSY, type Problem, problemResponse, RETRY_SOON, STOPPING } from "./problem.ts";
import { badParameter } from "./query.ts";
import type { Asked, RouteContext } from "./route.ts";
import { answerHeldSpans, spansResponse } from "./span-answer.ts";
import { DEFAULT_QUIET_MS, MAX_FOLLOWED_BY_ONE, MAX_WAIT_COUNT } from "./parameter.ts";
import { NO_ROOM, presentResponse, timeUpResponse } from "./wait-problems.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";

export interface WaitValues {
  readonly count: number | undefined;
  readonly timeout: number;
  readonly after: Cursor;
  readonly absent: boolean;
  readonly trace_complete: boolean;
  readonly quiet: number | undefined;
}

const DEFAULT_COUNT = 1;

function tooMany({ limit }: Semaphore): Problem {
  const detail = `${limit} requests are waiting already`;
  return { status: 503, detail, headers: RETRY_SOON };
}

export async function answerWait(
  context: RouteContext,
  asked: Asked<WaitValues>,
): Promise<Response> {
  const contradiction = contradictionIn(asked.values);
  if (contradiction !== undefined) return problemResponse(contradiction);
  const giveBack = context.waits.take();
  if (giveBack === undefined) return problemResponse(tooMany(context.waits));
  const { request } = asked;
  const cancellation = cancelledBy([request.signal, context.stopping]);
  context.allowIdling(request, true);
  try {
    return await answerHeldSpans(context, request, (held, type) =>
      waitAndAnswer(context, asked, { held, type, cancellation }),
    );
  } finally {
    giveBack();
    // What is still looked for, when enough has come meanwhile, is of use to nobody.
    cancellation.cancel();
    cancellation.clear();
    // The answer is sent to a reader who reads, or not for long.
    context.allowIdling(request, false);
  }
}

/** Parameters that are right by themselves, and not together. */
function contradictionIn({ count, absent, trace_complete, quiet }: WaitValues) {
  if (absent && trace_complete) {
    return badParameter("trace_complete", "absent=true waits for no trace; leave one of them out");
  }
  if (absent && count !== undefined && count > 0) {
    return badParameter("count", `count is "${count}"; with absent=true it is 0, or left out`);
  }
  if (!absent && count === 0) {
    const bound = `a whole number from 1 to ${MAX_WAIT_COUNT}, or 0 together with absent=true`;
    return badParameter("count", `count is "0"; it must be ${bound}`);
  }
  if (quiet !== undefined && !trace_complete) {
    return badParameter("quiet", "quiet is of use together with trace_complete=true only");
  }
  return undefined;
}

interface Waiting {
  readonly held: HeldAnswer;
  readonly type: SpanType;
  readonly cancellation: Cancellation;
}

async function waitAndAnswer(
  context: RouteContext,
  asked: Asked<WaitValues>,
  waiting: Waiting,
): Promise<Response> {
  const { held, type } = waiting;
  const { absent, count: wanted = DEFAULT_COUNT, quiet: quietMs = DEFAULT_QUIET_MS } = asked.values;
  const outcome = await wait(context, asked, waiting);
  if (outcome.outcome === "found") {
    const { range, ...spans } = outcome.spans;
    if (absent) return presentResponse(context, held, outcome.spans);
    return spansResponse(context, held, { type, spans, range });
  }
  if (outcome.outcome === "time_up") {
    const none = { type, spans: { request: new Uint8Array(0), sequences: [] } };
    if (absent) return spansResponse(context, held, { ...none, range: outcome.range });
    return timeUpResponse(context, held, { outcome, wanted, quietMs, asked });
  }
  held.release();
  if (outcome.outcome === "no_room") return problemResponse(NO_ROOM[outcome.for]);
  // A client that has gone reads neither.
  return problemResponse(held.refusedSpans > 0 ? BUSY : STOPPING);
}

/** When there is no room for what is found, there is nothing left to wait for. */
function wait(
  { buffer, arrivals, followed }: RouteContext,
  { filter, values }: Asked<WaitValues>,
  { held, cancellation }: Waiting,
): Promise<WaitOutcome> {
  const { timeout: timeoutMs, trace_complete, quiet: quietMs = DEFAULT_QUIET_MS } = values;
  const { sequence: after } = values.after;
  const count = values.absent ? 1 : (values.count ?? DEFAULT_COUNT);
  const request = { filter, after, count, timeoutMs, cancelled: cancellation.signal };
  const { signal: ended, cancel: whenRefused } = cancellation;
  const counted = heldBuffer(buffer, { held, ended, whenRefused });
  if (!trace_complete) return waitForSpans({ buffer: counted, arrivals }, request);
  const parts = { buffer: lastCopyOf(counted, held), arrivals, followed };
  return waitForTrace(parts, { ...request, quietMs, maxTraces: MAX_FOLLOWED_BY_ONE });
}

/** Traces are read one after the other: what was read before was not complete, and is dropped. */
function lastCopyOf(buffer: SearchedBuffer, held: HeldAnswer): SearchedBuffer {
  const copy = (sequences: readonly number[]) => {
    held.release();
    return buffer.copy(sequences);
  };
  return { ...buffer, copy };
}
