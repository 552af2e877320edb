import type { Cursor } from "../../domain/cursor.ts";
import { querySpanParts, type SpanQuery } from "../../application/querying/query-spans.ts";
import { readTrace } from "../../application/querying/read-trace.ts";
import { type HeldAnswer, heldBuffer, sizeOfSpans } from "./answer-budget.ts";
import type { SpanType } from "./media-type.ts";
import { problemResponse } from "./problem.ts";
import type { ParsedRequest, RouteContext } from "./route.ts";
import {
  holdAnswer,
  rangeHeaders,
  rangeMember,
  spanTypeFor,
  spansResponse,
} from "./span-answer.ts";
import type { OldestSpans } from "../../ports/trace-buffer.ts";

export interface QueryValues {
  readonly after: Cursor;
  readonly limit: number;
  readonly order: "oldest" | "newest";
}

export async function answerSpans(
  context: RouteContext,
  parsed: ParsedRequest<QueryValues>,
): Promise<Response> {
  const type = spanTypeFor(parsed.request);
  const isOldest = wantsOldest(parsed);
  const sizeBytes = isOldest ? sizeOfSpans(context.buffer, parsed.values.limit) : 0;
  using held = holdAnswer(context, sizeBytes);
  if (isOldest && sizeBytes <= MAX_COPY_BYTES) {
    const oldest = context.buffer.peek(parsed.values.limit);
    return oldestResponse(context, held, { type, oldest });
  }
  const buffer = heldBuffer(context.buffer, { held, ended: parsed.request.signal });
  const { range, parts } = await querySpanParts(buffer, queryOf(parsed));
  return spansResponse(context, held, { type, spans: parts, range });
}

/** The size up to which the oldest spans are copied at once; a larger copy delays receiving. */
const MAX_COPY_BYTES = 4 * 1024 * 1024;

/** Reports whether no search is needed, so that whole requests are returned as they came. */
function wantsOldest({ filter, values: { after, order } }: ParsedRequest<QueryValues>): boolean {
  return filter.length === 0 && after.sequence === 0 && order === "oldest";
}

export function queryOf({ filter, values }: ParsedRequest<QueryValues>): SpanQuery {
  const { after, limit, order } = values;
  return { filter, after: after.sequence, limit, newestFirst: order === "newest" };
}

/** Takes spans after checking the whole request, so that a mistake in it cannot lose them. */
export async function answerTake(
  context: RouteContext,
  { request, values: { limit } }: ParsedRequest<{ readonly limit: number }>,
): Promise<Response> {
  const type = spanTypeFor(request);
  using held = holdAnswer(context, sizeOfSpans(context.buffer, limit));
  return oldestResponse(context, held, { type, oldest: await context.arrivals.take(limit) });
}

function oldestResponse(
  context: RouteContext,
  held: HeldAnswer,
  { type, oldest }: { readonly type: SpanType; readonly oldest: OldestSpans },
): Response {
  const { range, ...spans } = oldest;
  held.hold(spans.request.length);
  return spansResponse(context, held, { type, spans: [spans], range });
}

export async function answerTrace(
  context: RouteContext,
  { request, values }: ParsedRequest<{ readonly trace_id: string }>,
): Promise<Response> {
  const type = spanTypeFor(request);
  using held = holdAnswer(context);
  const buffer = heldBuffer(context.buffer, { held, ended: request.signal });
  const { range, ...spans } = await readTrace(buffer, values.trace_id);
  if (spans.sequences.length > 0 || held.refusedSpans > 0) {
    return spansResponse(context, held, { type, spans: [spans], range });
  }
  const detail = "no span of this trace is buffered";
  const members = { sequence: rangeMember(context.runId, range) };
  const headers = rangeHeaders(range);
  return problemResponse({ status: 404, parameter: "trace_id", detail, members, headers });
}
