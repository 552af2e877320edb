import { ownersBytes } from "../../application/querying/span-owners.ts";
import {
  type DurationHistogram,
  percentile,
} from "../../application/querying/duration-histogram.ts";
import {
  type GraphCall,
  MAX_CALLS,
  readServiceGraph,
} from "../../application/querying/service-graph.ts";
import {
  MAX_OPERATIONS,
  type Operation,
  summariseOperations,
} from "../../application/querying/summarise-operations.ts";
import { summariseTraces, type TraceSummary } from "../../application/querying/summarise-traces.ts";
import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import type { SequenceRange } from "../../ports/trace-buffer.ts";
import type { Message, Written } from "../api-messages/message.ts";
import type {
  operations as operationsMessage,
  serviceGraph as serviceGraphMessage,
  traces as tracesMessage,
} from "../api-messages/summaries.ts";
import { type HeldAnswer, heldBuffer } from "./answer-budget.ts";
import { PROCESS_PACE } from "../memory/collection-pace.ts";
import { JSON_TYPE } from "./media-type.ts";
import { type QueryValues, queryOf } from "./query-answers.ts";
import type { ParsedRequest, RouteContext } from "./route.ts";
import { heldResponse, holdAnswer, pieces, rangeHeaders, rangeMember } from "./span-answer.ts";

export async function answerTraces(
  context: RouteContext,
  parsed: ParsedRequest<QueryValues>,
): Promise<Response> {
  using held = holdAnswer(context);
  const spanCount = spanCountOf(context);
  // Covers the growing summaries, and the garbage of each searched span.
  held.hold(TRACE_SUMMARY_BYTES * Math.min(parsed.values.limit, spanCount));
  PROCESS_PACE.noteGarbage(SUMMARISED_SPAN_BYTES * spanCount);
  const buffer = heldBuffer(context.buffer, { held, ended: parsed.request.signal });
  const { traces, range } = await summariseTraces(buffer, queryOf(parsed));
  const sequence = rangeMember(context.runId, range);
  const body = { traces: traces.map(traceMembers), sequence };
  return summaryResponse<typeof tracesMessage>(context, held, { body, range });
}

/** The approximate size of a summary with its identifier and names, as measured on Bun 1.4.5. */
const TRACE_SUMMARY_BYTES = 1024;
const SUMMARISED_SPAN_BYTES = 512;

function traceMembers(trace: TraceSummary) {
  const { traceId, root, rootService, services, spanCount, errorCount } = trace;
  const { startTimeUnixNano: start, endTimeUnixNano: end } = trace;
  return {
    traceId,
    root: root ?? null,
    rootService: rootService ?? null,
    services,
    spans: spanCount,
    errors: errorCount,
    startTimeUnixNano: start === undefined ? null : String(start),
    lastSequence: trace.lastSequence,
    durationNano: start === undefined || end === undefined ? null : String(end - start),
  };
}

export async function answerOperations(
  context: RouteContext,
  { filter, request }: ParsedRequest<unknown>,
): Promise<Response> {
  const most = Math.min(MAX_OPERATIONS, spanCountOf(context));
  using held = holdAnswer(context, HISTOGRAM_BYTES * most);
  const buffer = heldBuffer(context.buffer, { held, ended: request.signal });
  const { operations, otherSpanCount, periodSeconds, range } = await summariseOperations(
    buffer,
    filter,
  );
  const body = {
    operations: operations.map((each) => operationMembers(each, periodSeconds)),
    otherSpans: otherSpanCount,
    periodSeconds,
    sequence: rangeMember(context.runId, range),
  };
  return summaryResponse<typeof operationsMessage>(context, held, { body, range });
}

/** The approximate size of a name and of a histogram that counts durations of every octave. */
const HISTOGRAM_BYTES = 12 * 1024;

function operationMembers(operation: Operation, periodSeconds: number) {
  const { service, name, spanCount, errorCount, durations, lastEndNano } = operation;
  return {
    service,
    name,
    spans: spanCount,
    errors: errorCount,
    spansPerSecond: periodSeconds === 0 ? null : spanCount / periodSeconds,
    ...percentileMembers(durations),
    lastSeen: lastEndNano === 0 ? null : new Date(lastEndNano / NANOS_PER_MS_NUMBER).toISOString(),
  };
}

function percentileMembers(durations: DurationHistogram) {
  return {
    p50Nano: percentile(durations, 0.5) ?? null,
    p95Nano: percentile(durations, 0.95) ?? null,
    p99Nano: percentile(durations, 0.99) ?? null,
  };
}

export async function answerServiceGraph(
  context: RouteContext,
  { filter, request }: ParsedRequest<unknown>,
): Promise<Response> {
  const spanCount = spanCountOf(context);
  const callsBytes = HISTOGRAM_BYTES * Math.min(MAX_CALLS, spanCount);
  using held = holdAnswer(context, ownersBytes(spanCount) + callsBytes);
  PROCESS_PACE.noteGarbage(GRAPH_SPAN_BYTES * spanCount);
  const buffer = heldBuffer(context.buffer, { held, ended: request.signal });
  const { services, calls, range, ...counts } = await readServiceGraph(buffer, filter);
  const body = {
    services: services.map(({ service, spanCount: spans, errorCount: errors }) => {
      return { service, spans, errors };
    }),
    calls: calls.map(callMembers),
    unknownParents: counts.unknownParentCount,
    unknownLinks: counts.unknownLinkCount,
    others: counts.otherCount,
    sequence: rangeMember(context.runId, range),
  };
  return summaryResponse<typeof serviceGraphMessage>(context, held, { body, range });
}

/** The garbage of a span in both passes. */
const GRAPH_SPAN_BYTES = 128;

function callMembers({ from, to, callCount, errorCount, linkCount, durations }: GraphCall) {
  const members = { from, to, calls: callCount, errors: errorCount, links: linkCount };
  return { ...members, ...percentileMembers(durations) };
}

function spanCountOf({ buffer }: RouteContext): number {
  const { first, next } = buffer.range();
  return next - first;
}

/**
 * Writes the whole response at once, because it is small. Long names count as held. What was held
 * until now took several turns of the event loop, so young collections do not free it: eight
 * readers of 10,000 summaries left 35 MiB a second.
 */
function summaryResponse<Described extends Message>(
  context: RouteContext,
  held: HeldAnswer,
  { body, range }: { readonly body: Written<Described>; readonly range: SequenceRange },
): Response {
  const bytes = new TextEncoder().encode(`${JSON.stringify(body)}\n`);
  PROCESS_PACE.noteOldGarbage(held.heldBytes);
  held.release();
  held.hold(bytes.length);
  const headers = { "Content-Type": JSON_TYPE, ...rangeHeaders(range) };
  return heldResponse(context, held, { status: 200, headers, chunks: pieces(bytes) });
}
