import type { Written } from "../api-messages/message.ts";
import type { traces as tracesMessage } from "../api-messages/messages.ts";
import type { Cursor } from "../../domain/cursor.ts";
import { querySpans } from "../../application/querying/query-spans.ts";
import { readTrace } from "../../application/querying/read-trace.ts";
import { summariseTraces, type TraceSummary } from "../../application/querying/summarise-traces.ts";
import { answerPace } from "./answer-stream.ts";
import { type HeldAnswer, heldBuffer } from "./answer-budget.ts";
import { JSON_TYPE, type SpanType } from "./media-type.ts";
import { problemResponse } from "./problem.ts";
import type { Asked, RouteContext } from "./route.ts";
import {
  answerHeld,
  answerHeldSpans,
  heldResponse,
  pieces,
  rangeHeaders,
  rangeMember,
  spansResponse,
} from "./span-answer.ts";
import type { OldestSpans } from "../../ports/trace-buffer.ts";

interface QueryValues {
  readonly after: Cursor;
  readonly limit: number;
  readonly order: "oldest" | "newest";
}

export function answerSpans(context: RouteContext, asked: Asked<QueryValues>): Promise<Response> {
  return answerHeldSpans(context, asked.request, async (held, type) => {
    const { limit } = asked.values;
    if (asksForOldest(asked)) {
      return oldestResponse(context, held, { type, oldest: context.buffer.peek(limit) });
    }
    const buffer = heldBuffer(context.buffer, { held, ended: asked.request.signal });
    const { range, ...spans } = await querySpans(buffer, queryOf(asked));
    return spansResponse(context, held, { type, spans, range });
  });
}

/** Then nothing has to be looked for, and requests that are whole are handed over as they came. */
function asksForOldest({ filter, values: { after, order } }: Asked<QueryValues>): boolean {
  return filter.length === 0 && after.sequence === 0 && order === "oldest";
}

function queryOf({ filter, values: { after, limit, order } }: Asked<QueryValues>) {
  return { filter, after: after.sequence, limit, newestFirst: order === "newest" };
}

/** What is taken is not lost to a mistake in the request: all of it is checked before. */
export function answerTake(
  context: RouteContext,
  { request, values: { limit } }: Asked<{ readonly limit: number }>,
): Promise<Response> {
  return answerHeldSpans(context, request, (held, type) => {
    return oldestResponse(context, held, { type, oldest: context.arrivals.take(limit) });
  });
}

function oldestResponse(
  context: RouteContext,
  held: HeldAnswer,
  { type, oldest }: { readonly type: SpanType; readonly oldest: OldestSpans },
): Response {
  const { range, ...spans } = oldest;
  held.hold(spans.request.length);
  return spansResponse(context, held, { type, spans, range });
}

export function answerTrace(
  context: RouteContext,
  { request, values }: Asked<{ readonly trace_id: string }>,
): Promise<Response> {
  return answerHeldSpans(context, request, async (held, type) => {
    const buffer = heldBuffer(context.buffer, { held, ended: request.signal });
    const { range, ...spans } = await readTrace(buffer, values.trace_id);
    if (spans.sequences.length === 0 && held.refusedSpans === 0) {
      const detail = "no span of this trace is buffered";
      const told = {
        members: { sequence: rangeMember(context.runId, range) },
        headers: rangeHeaders(range),
      };
      return problemResponse({ status: 404, parameter: "trace_id", detail, ...told });
    }
    return spansResponse(context, held, { type, spans, range });
  });
}

/** Written at once: it is small beside the spans. A long name is held all the same. */
export function answerTraces(context: RouteContext, asked: Asked<QueryValues>): Promise<Response> {
  return answerHeld(context, async (held) => {
    const spanCount = spanCountOf(context);
    // The summaries, while they grow; and what is left of each span that is looked at.
    held.hold(TRACE_SUMMARY_BYTES * Math.min(asked.values.limit, spanCount));
    answerPace.noteGarbage(SUMMED_UP_SPAN_BYTES * spanCount);
    const buffer = heldBuffer(context.buffer, { held, ended: asked.request.signal });
    const { traces, range } = await summariseTraces(buffer, queryOf(asked));
    const sequence = rangeMember(context.runId, range);
    const body: Written<typeof tracesMessage> = { traces: traces.map(traceMembers), sequence };
    const bytes = new TextEncoder().encode(`${JSON.stringify(body)}\n`);
    held.release();
    held.hold(bytes.length);
    const headers = { "Content-Type": JSON_TYPE, ...rangeHeaders(range) };
    return heldResponse(context, held, { status: 200, headers, chunks: pieces(bytes) });
  });
}

/** About what one takes, with its identifier and the names in it (measured on Bun 1.4.5). */
const TRACE_SUMMARY_BYTES = 1024;
const SUMMED_UP_SPAN_BYTES = 512;

function spanCountOf({ buffer }: RouteContext): number {
  const { first, next } = buffer.range();
  return next - first;
}

/** After a clock was set back, a trace takes no time. */
function durationText(durationNano: bigint): string {
  return String(durationNano > 0n ? durationNano : 0n);
}

function traceMembers(trace: TraceSummary) {
  const { traceId, root, services, spanCount, errorCount } = trace;
  const { startTimeUnixNano: start, endTimeUnixNano: end } = trace;
  return {
    traceId,
    root: root ?? null,
    services,
    spans: spanCount,
    errors: errorCount,
    startTimeUnixNano: start === undefined ? null : String(start),
    durationNano: start === undefined || end === undefined ? null : durationText(end - start),
  };
}
