import { MAX_ADDRESSES } from "../../application/receiving/problem-registry.ts";
import { MAX_CALLS } from "../../application/querying/service-graph.ts";
import { MAX_OPERATIONS } from "../../application/querying/summarise-operations.ts";
import { MAX_FOUND_TOGETHER } from "../../application/arrivals/filter-index.ts";
import {
  answerClear,
  answerDescription,
  answerHealth,
  answerMetrics,
  answerProblems,
  answerReadiness,
  answerReceivers,
  answerServices,
  answerStats,
} from "./ledger-answers.ts";
import { EVENT_STREAM_TYPE, JSON_TYPE, NDJSON_TYPE, PROTOBUF_TYPE } from "./media-type.ts";
import {
  AFTER,
  AFTER_OR_NOW,
  LIMIT,
  MAX_FOLLOWED_BY_ONE,
  MAX_FOLLOWED_TRACES,
  NEWEST_FIRST,
  OLDEST_FIRST,
  TRACE_ID,
  TRACE_LIMIT,
  WAIT_PARAMETERS,
} from "./parameter.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { answerSpans, answerTake, answerTrace } from "./query-answers.ts";
import { answerOperations, answerServiceGraph, answerTraces } from "./summary-answers.ts";
import { type AnswerDescription, type Route, route } from "./route.ts";
import { answerTail, LAST_EVENT_ID, MAX_TAILS } from "./tail-answer.ts";
import { answerUpload, FILE_TYPE, MAX_FILE_BYTES } from "./upload-answer.ts";
import { answerWait } from "./wait-answer.ts";

function json(meaning: string, schema: string): AnswerDescription {
  return { meaning, bodies: { [JSON_TYPE]: schema } };
}

function spans(meaning: string): AnswerDescription {
  const request = "ExportTraceServiceRequest";
  const bodies = { [JSON_TYPE]: request, [PROTOBUF_TYPE]: undefined, [NDJSON_TYPE]: "SpanLine" };
  return withRange({ meaning, bodies });
}

/** Adds the headers that report the searched range. */
function withRange(answer: AnswerDescription): AnswerDescription {
  return { ...answer, reportsRange: "all" };
}

function problem(meaning: string, schema = "Problem"): AnswerDescription {
  return { meaning, bodies: { [PROBLEM_TYPE]: schema } };
}

const GONE = withRange(
  problem(
    "`after` belongs to another run, or is beyond the newest span. Start again.",
    "GoneProblem",
  ),
);

const BUSY = problem("The server is busy; retry after `Retry-After`.");
const BUSY_OR_STOPPING = problem("The server is busy or stopping.");

/** Lists all routes. A path that is not listed is neither answered nor documented. */
export const ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/healthz",
    summary: "Report whether the program is alive",
    isOpen: true,
    answers: { 200: json("The program is alive.", "Health") },
    answer: answerHealth,
  }),
  route({
    method: "GET",
    path: "/readyz",
    summary: "Report whether the program is ready",
    isOpen: true,
    answers: {
      200: json("The program is ready.", "Readiness"),
      503: json("The program is starting, stopping, or refuses requests.", "Readiness"),
    },
    answer: answerReadiness,
  }),
  route({
    method: "GET",
    path: "/api/stats",
    summary: "Report the ledger, the capacity, the uptime and the version",
    description:
      "Spans in flight to the upstream count as buffered until the upstream responds. " +
      "`forward` is present if forwarding is enabled.",
    answers: { 200: withRange(json("The figures, all from the same instant.", "Stats")) },
    answer: answerStats,
  }),
  route({
    method: "GET",
    path: "/api/receivers",
    summary: "Report where spans can be sent, and what their senders need",
    answers: { 200: json("The listeners of OTLP that are listening.", "Receivers") },
    answer: answerReceivers,
  }),
  route({
    method: "GET",
    path: "/api/problems",
    summary: "List what was refused or discarded, and what to do about it",
    description:
      "One entry for each listener, reason and peer, with at most the " +
      `${MAX_ADDRESSES} most recent peers for each reason. ` +
      "The metric `spanring_problems_total` counts all of them.",
    answers: { 200: json("The problems, newest first.", "Problems") },
    answer: answerProblems,
  }),
  route({
    method: "GET",
    path: "/metrics",
    summary: "Report metrics for Prometheus",
    answers: {
      200: { meaning: "Metrics in text format 0.0.4.", bodies: { "text/plain": undefined } },
    },
    answer: answerMetrics,
  }),
  route({
    method: "GET",
    path: "/api/spans",
    summary: "Return spans, and keep them",
    takesFilter: true,
    queryParameters: { after: AFTER, limit: LIMIT, order: OLDEST_FIRST },
    answers: { 200: spans("The matching spans."), 410: GONE, 503: BUSY },
    answer: answerSpans,
  }),
  route({
    method: "DELETE",
    path: "/api/spans",
    summary: "Remove all spans",
    description: "They count as taken. Spans in flight to the upstream stay until it responds.",
    answers: {
      200: withRange(json("The number of removed spans, and their sequences.", "Cleared")),
    },
    answer: answerClear,
  }),
  route({
    method: "POST",
    path: "/api/spans/take",
    summary: "Return the oldest spans, and remove them",
    description:
      "Spans in flight to the upstream are not taken. With `DATA_DIR`, at most " +
      "`MAX_BUFFER_BYTES` come from the disk, so the answer may have fewer spans than `limit` " +
      "although more are buffered; the next call returns those.",
    queryParameters: { limit: LIMIT },
    answers: { 200: spans("The removed spans."), 503: BUSY },
    answer: answerTake,
  }),
  route({
    method: "POST",
    path: "/api/upload",
    summary: "Receive the spans of a file",
    description:
      "The body is a file of any format that `spanring send` reads: OTLP/JSON in one or several " +
      "documents, lines of spans, protobuf, compressed or not. A part that cannot be read is " +
      `skipped. A file may have ${MAX_FILE_BYTES / 1024 / 1024} MiB; its requests are limited, ` +
      "validated and counted like those over OTLP/HTTP.",
    bodyType: FILE_TYPE,
    answers: {
      200: json("The spans that were received, and what was refused.", "Upload"),
      411: problem("The request has no `Content-Length`."),
      413: problem("The file is too large."),
      415: problem("The request has another `Content-Type`, as forms of web pages have."),
      503: BUSY_OR_STOPPING,
    },
    answer: answerUpload,
  }),
  route({
    method: "GET",
    path: "/api/traces",
    summary: "Summarise the traces of matching spans",
    description: "Each summary covers all buffered spans of its trace.",
    takesFilter: true,
    queryParameters: { after: AFTER, limit: TRACE_LIMIT, order: NEWEST_FIRST },
    answers: { 200: withRange(json("The summaries.", "Traces")), 410: GONE, 503: BUSY },
    answer: answerTraces,
  }),
  route({
    method: "GET",
    path: "/api/traces/{trace_id}",
    summary: "Return the spans of one trace",
    pathParameters: { trace_id: TRACE_ID },
    answers: {
      200: spans("All buffered spans of the trace, in order of arrival."),
      404: withRange(problem("No span of the trace is buffered.", "NoTraceProblem")),
      503: BUSY,
    },
    answer: answerTrace,
  }),
  route({
    method: "GET",
    path: "/api/services",
    summary: "Report the ledger of each service",
    answers: {
      200: withRange(
        json("The services, in the order in which they first sent spans.", "Services"),
      ),
    },
    answer: answerServices,
  }),
  route({
    method: "GET",
    path: "/api/operations",
    summary: "Summarise matching spans by service and name",
    description:
      `The ${MAX_OPERATIONS} operations that arrived first, by number of spans: how many spans ` +
      "are buffered, their rate, errors, and percentiles of their duration. A negative duration " +
      "counts as 0.",
    takesFilter: true,
    answers: { 200: withRange(json("The operations.", "Operations")), 503: BUSY },
    answer: answerOperations,
  }),
  route({
    method: "GET",
    path: "/api/service-graph",
    summary: "Report the calls between services",
    description:
      "Calls are matching spans whose parent is buffered and belongs to another service; links " +
      "are those of matching spans to buffered spans of another service. At most " +
      `${MAX_CALLS} pairs of services are listed.`,
    takesFilter: true,
    answers: { 200: withRange(json("The services and calls.", "ServiceGraph")), 503: BUSY },
    answer: answerServiceGraph,
  }),
  route({
    method: "GET",
    path: "/api/wait",
    summary: "Wait for spans",
    description:
      "Responds as soon as enough matching spans have arrived, including those that are already " +
      "buffered. To count only later spans, set `after` to the `Spanring-Run-Id` of an earlier " +
      "response, a hyphen, and its `Spanring-Next-Sequence` minus one. " +
      "Thousands of waits may be in progress, each for a trace, a name or an attribute of its " +
      `own, but at most ${MAX_FOUND_TOGETHER} different filters that apply to the same spans; ` +
      "beyond that, the response is 503, and says what to filter by instead. With " +
      `\`trace_complete\`, one wait follows at most ${MAX_FOLLOWED_BY_ONE} traces, and all waits ` +
      `together ${MAX_FOLLOWED_TRACES}. If more traces match, the wait ends as soon as one of ` +
      "those followed is complete; if none is complete in time, the response is 503 instead of " +
      "408, immediately if no trace can be followed. Spans that are buffered when the wait " +
      "begins are searched even with a short `timeout`, so the response may be late during many " +
      "searches of a large buffer. Some HTTP clients retry after 408; disable that, or a wait " +
      "takes several times as long.",
    takesFilter: true,
    queryParameters: WAIT_PARAMETERS,
    answers: {
      200: spans("The spans. With `absent=true`: no span arrived, and the list is empty."),
      408: withRange(problem("The spans did not arrive in time.", "TimeUpProblem")),
      409: withRange(problem("With `absent=true`: a span arrived.", "PresentProblem")),
      410: GONE,
      417: withRange(problem("With `expect`: it is not met.", "ExpectationProblem")),
      503: BUSY_OR_STOPPING,
    },
    answer: answerWait,
  }),
  route({
    method: "GET",
    path: "/api/tail",
    summary: "Follow spans as they arrive",
    description:
      'One span per line. `{"missed":N}` (the event `missed`) reports missing spans: spans, ' +
      "matching or not, that were evicted before they could be searched because the reader was " +
      "too slow, and spans that were not copied because responses in progress held too much " +
      "memory. An empty line (in an event stream, a comment) at the beginning, and after every " +
      "15 seconds of silence, shows that the connection is alive. Readers may be slow: one is " +
      `disconnected only if ${MAX_TAILS} readers follow, another one connects, and it has ` +
      "stalled longest, for at least a minute. The identifier of an event is `RUN-SEQUENCE`, " +
      `and \`${LAST_EVENT_ID}\` continues after it, as \`after\` does.`,
    takesFilter: true,
    queryParameters: { after: AFTER_OR_NOW },
    answers: {
      200: {
        meaning: "The spans, until the server stops or disconnects a stalled reader.",
        bodies: { [NDJSON_TYPE]: "TailLine", [EVENT_STREAM_TYPE]: undefined },
        reportsRange: "first",
      },
      410: GONE,
      503: BUSY_OR_STOPPING,
    },
    answer: answerTail,
  }),
  route({
    method: "GET",
    path: "/api/openapi.json",
    summary: "Return this description",
    answers: { 200: json("An OpenAPI 3.1 document.", "Description") },
    answer: answerDescription,
  }),
];
