import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { Cursor } from "../../domain/cursor.ts";
import {
  waitForSpans,
  type WaitOutcome,
  type WaitParts,
} from "../../application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../application/waiting/wait-for-trace.ts";
import { type Cancellation, cancelledBy, type HeldAnswer, heldBuffer } from "./answer-budget.ts";
import { answerExpect } from "./expect-answer.ts";
import type { SpanType } from "./media-type.ts";
import type { Semaphore } from "../../application/waiting/semaphore.ts";
import { BUSY, type Problem, problemResponse, RETRY_SOON, STOPPING } from "./problem.ts";
import { badParameter } from "./query.ts";
import type { ParsedRequest, RouteContext } from "./route.ts";
import { holdAnswer, spansResponse, spanTypeFor } from "./span-answer.ts";
import { DEFAULT_QUIET_MS, MAX_FOLLOWED_BY_ONE, MAX_WAIT_COUNT } from "./parameter.ts";
import { NO_ROOM, presentResponse, timeUpResponse } from "./wait-problems.ts";
import type { CopiedSpans, SearchedBuffer } from "../../ports/trace-buffer.ts";

export interface WaitValues {
  readonly count: number | undefined;
  readonly timeout: number;
  readonly after: Cursor;
  readonly absent: boolean;
  readonly trace_complete: boolean;
  readonly quiet: number | undefined;
  readonly expect: string | undefined;
  readonly hold: boolean;
}

const DEFAULT_COUNT = 1;

function tooMany({ limit }: Semaphore): Problem {
  const detail = `${limit} requests are already waiting`;
  return { status: 503, detail, headers: RETRY_SOON };
}

export async function answerWait(
  context: RouteContext,
  parsed: ParsedRequest<WaitValues>,
): Promise<Response> {
  const { request, values } = parsed;
  const contradiction = contradictionIn(values) ?? expectContradiction(parsed);
  if (contradiction !== undefined) return problemResponse(contradiction);
  using resources = new DisposableStack();
  const release = context.waits.take();
  if (release === undefined) return problemResponse(tooMany(context.waits));
  resources.defer(release);
  // Ends searches that are still in progress when the wait has ended.
  using cancellation = cancelledBy([request.signal, context.stopping]);
  context.allowIdling(request, true);
  resources.defer(() => context.allowIdling(request, false));
  const type = spanTypeFor(request);
  using held = holdAnswer(context);
  if (values.expect !== undefined) {
    const { expect: text, hold: holds, timeout: timeoutMs } = values;
    const asked = { text, holds, timeoutMs, cancelled: cancellation.signal, held, type };
    return await answerExpect(context, waitParts(context, { held, cancellation }), asked);
  }
  const outcome = await wait(context, parsed, { held, cancellation });
  return outcomeResponse(context, held, { type, outcome, parsed });
}

/** Returns the mistake in parameters that are valid on their own, but not together. */
function contradictionIn({ count, absent, trace_complete, quiet }: WaitValues) {
  if (absent && trace_complete) {
    return badParameter(
      "trace_complete",
      "absent=true and trace_complete=true exclude each other; omit one of them",
    );
  }
  if (absent && count !== undefined && count > 0) {
    return badParameter("count", `count is "${count}"; with absent=true it must be 0 or omitted`);
  }
  if (!absent && count === 0) {
    const bound = `a whole number from 1 to ${MAX_WAIT_COUNT}, or 0 together with absent=true`;
    return badParameter("count", `count is "0"; it must be ${bound}`);
  }
  if (quiet !== undefined && !trace_complete) {
    return badParameter("quiet", "quiet has an effect only with trace_complete=true");
  }
  return undefined;
}

/** Returns the mistake in an expectation beside parameters that say what to expect as well. */
function expectContradiction({ values, filter }: ParsedRequest<WaitValues>) {
  const { expect, hold, count, absent, trace_complete, after } = values;
  if (expect === undefined) {
    return hold ? badParameter("hold", "hold has an effect only with expect") : undefined;
  }
  const isAlone = filter.length === 0 && count === undefined && after.sequence === 0;
  if (isAlone && !absent && !trace_complete) return undefined;
  return badParameter(
    "expect",
    "expect excludes filters, count, absent, trace_complete and after; write conditions and a " +
      "count into the expectation",
  );
}

interface AnsweredWait {
  readonly type: SpanType;
  readonly outcome: WaitOutcome;
  readonly parsed: ParsedRequest<WaitValues>;
}

function outcomeResponse(
  context: RouteContext,
  held: HeldAnswer,
  { type, outcome, parsed }: AnsweredWait,
): Response {
  const {
    absent,
    count: wanted = DEFAULT_COUNT,
    quiet: quietMs = DEFAULT_QUIET_MS,
  } = parsed.values;
  switch (outcome.outcome) {
    case "found": {
      const { range, ...spans } = outcome.spans;
      if (absent) return presentResponse(context, held, outcome.spans);
      return spansResponse(context, held, { type, spans: [spans], range });
    }
    case "time_up": {
      const spans = { request: new Uint8Array(0), sequences: [] };
      if (absent)
        return spansResponse(context, held, { type, spans: [spans], range: outcome.range });
      return timeUpResponse(context, held, { outcome, wanted, quietMs, parsed });
    }
    case "no_room":
      return problemResponse(NO_ROOM[outcome.for]);
    case "cancelled":
      // A client that has disconnected does not read it.
      return problemResponse(held.refusedSpans > 0 ? BUSY : STOPPING);
  }
}

interface Waiting {
  readonly held: HeldAnswer;
  readonly cancellation: Cancellation;
}

/** Waits, and ends early if no memory is left for what it finds. */
function wait(
  context: RouteContext,
  { filter, values }: ParsedRequest<WaitValues>,
  { held, cancellation }: Waiting,
): Promise<WaitOutcome> {
  const { timeout: timeoutMs, trace_complete, quiet: quietMs = DEFAULT_QUIET_MS } = values;
  const { sequence: after } = values.after;
  const count = values.absent ? 1 : (values.count ?? DEFAULT_COUNT);
  const request = { filter, after, count, timeoutMs, cancelled: cancellation.signal };
  const parts = waitParts(context, { held, cancellation });
  if (!trace_complete) return waitForSpans(parts, request);
  const { followed } = context;
  const traceParts = { ...parts, buffer: lastCopyOf(parts.buffer, held), followed };
  return waitForTrace(traceParts, { ...request, quietMs, maxTraces: MAX_FOLLOWED_BY_ONE });
}

/** Returns the parts of a wait, with a buffer that counts what is copied. */
function waitParts(
  { buffer, arrivals, clock }: RouteContext,
  { held, cancellation }: Waiting,
): WaitParts & Pick<RouteContext, "arrivals"> {
  const { signal: ended, cancel: whenRefused } = cancellation;
  return { buffer: heldBuffer(buffer, { held, ended, whenRefused }), arrivals, clock };
}

/** Returns the buffer for reading traces one by one: each copy frees the previous one. */
function lastCopyOf(buffer: SearchedBuffer, held: HeldAnswer): SearchedBuffer {
  let last: CopiedSpans | undefined;
  const copy = (sequences: readonly number[]) => {
    if (last !== undefined) releaseOwnBuffer(last.request);
    held.release();
    last = buffer.copy(sequences);
    return last;
  };
  return { ...buffer, copy };
}
