import { MAX_ADDRESSES } from "../../application/receiving/problem-registry.ts";
import { MAX_FOUND_TOGETHER } from "../../application/arrivals/filter-index.ts";
import {
  answerClear,
  answerDescription,
  answerHealth,
  answerMetrics,
  answerProblems,
  answerReadiness,
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
import { answerSpans, answerTake, answerTrace, answerTraces } from "./query-answers.ts";
import { type AnswerMeaning, type Route, route } from "./route.ts";
import { answerTail, LAST_EVENT_ID, MAX_TAILS } from "./tail-answer.ts";
import { answerWait } from "./wait-answer.ts";

function json(meaning: string, schema: string): AnswerMeaning {
  return { meaning, bodies: { [JSON_TYPE]: schema } };
}

function spans(meaning: string): AnswerMeaning {
  const request = "ExportTraceServiceRequest";
  const bodies = { [JSON_TYPE]: request, [PROTOBUF_TYPE]: undefined, [NDJSON_TYPE]: "SpanLine" };
  return withRange({ meaning, bodies });
}

/** Answers that searched the buffer report the range they searched. */
function withRange(answer: AnswerMeaning): AnswerMeaning {
  return { ...answer, tellsRange: "all" };
}

function problem(meaning: string, schema = "Problem"): AnswerMeaning {
  return { meaning, bodies: { [PROBLEM_TYPE]: schema } };
}

const GONE = withRange(
  problem("`after` is of another run, or beyond the newest span: start again.", "GoneProblem"),
);

const BUSY = problem("Too much is under way; come back after `Retry-After`.");
const BUSY_OR_STOPPING = problem("Too much is under way; or the server is stopping.");

/** Lists all routes. A path that is not listed is neither answered nor documented. */
export const ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/healthz",
    summary: "Whether it is alive",
    answers: { 200: json("It is.", "Health") },
    answer: answerHealth,
  }),
  route({
    method: "GET",
    path: "/readyz",
    summary: "Whether it is ready",
    answers: { 200: json("It is.", "Readiness"), 503: json("It starts or stops.", "Readiness") },
    answer: answerReadiness,
  }),
  route({
    method: "GET",
    path: "/api/stats",
    summary: "The books, the capacity, uptime and version",
    description:
      "What is in flight to the upstream is buffered in the books until it is answered. " +
      "`forward` is there when spans are forwarded.",
    answers: { 200: withRange(json("All numbers are of one instant.", "Stats")) },
    answer: answerStats,
  }),
  route({
    method: "GET",
    path: "/api/problems",
    summary: "What was refused or discarded, and what to do",
    description:
      "One entry for each listener, reason and peer; of each reason the peers that were seen " +
      `last, ${MAX_ADDRESSES} at most. The metric \`spanring_problems_total\` forgets none.`,
    answers: { 200: json("The newest first.", "Problems") },
    answer: answerProblems,
  }),
  route({
    method: "GET",
    path: "/metrics",
    summary: "The numbers for Prometheus",
    answers: { 200: { meaning: "Text format 0.0.4.", bodies: { "text/plain": undefined } } },
    answer: answerMetrics,
  }),
  route({
    method: "GET",
    path: "/api/spans",
    summary: "Spans, left in place",
    takesFilter: true,
    queryParameters: { after: AFTER, limit: LIMIT, order: OLDEST_FIRST },
    answers: { 200: spans("The spans that match."), 410: GONE, 503: BUSY },
    answer: answerSpans,
  }),
  route({
    method: "DELETE",
    path: "/api/spans",
    summary: "Remove every span",
    description: "They count as taken. Those in flight to the upstream stay until it answers.",
    answers: { 200: withRange(json("How many were removed, and which were there.", "Cleared")) },
    answer: answerClear,
  }),
  route({
    method: "POST",
    path: "/api/spans/take",
    summary: "The oldest spans, which are removed",
    description: "Those in flight to the upstream are left to it.",
    queryParameters: { limit: LIMIT },
    answers: { 200: spans("They are the reader's now."), 503: BUSY },
    answer: answerTake,
  }),
  route({
    method: "GET",
    path: "/api/traces",
    summary: "Traces with a span that matches, summed up",
    description: "Each summary is of all buffered spans of its trace.",
    takesFilter: true,
    queryParameters: { after: AFTER, limit: TRACE_LIMIT, order: NEWEST_FIRST },
    answers: { 200: withRange(json("The traces.", "Traces")), 410: GONE, 503: BUSY },
    answer: answerTraces,
  }),
  route({
    method: "GET",
    path: "/api/traces/{trace_id}",
    summary: "The spans of one trace",
    pathParameters: { trace_id: TRACE_ID },
    answers: {
      200: spans("All that are buffered, in the order in which they came."),
      404: withRange(problem("There is none.", "NoTraceProblem")),
      503: BUSY,
    },
    answer: answerTrace,
  }),
  route({
    method: "GET",
    path: "/api/services",
    summary: "The books by service",
    answers: { 200: withRange(json("In the order in which they were first seen.", "Services")) },
    answer: answerServices,
  }),
  route({
    method: "GET",
    path: "/api/wait",
    summary: "Wait for spans",
    description:
      "Answers as soon as there are as many as asked for, those that are buffered already among " +
      "them. To count only later ones, give as `after` the `Spanring-Run-Id` of an answer from " +
      "before, a hyphen, and its `Spanring-Next-Sequence` less one. " +
      "A thousand may wait, each for a trace, a name or an attribute of " +
      `its own; of filters that look at the same spans, ${MAX_FOUND_TOGETHER} different ones. ` +
      "Beyond that it is 503, which says what to ask for instead. With `trace_complete`, one " +
      `wait follows ${MAX_FOLLOWED_BY_ONE} traces, and all who wait ${MAX_FOLLOWED_TRACES} ` +
      "together. A wait that more traces match answers as soon as one of those that it follows " +
      "is complete; if none is in time, it is 503 instead of 408, and at once if it can follow " +
      "none. What is buffered at the beginning is looked through however short the `timeout`: " +
      "where many look through a large ring, an answer may come later. Some HTTP clients send a " +
      "request again by themselves after 408; switch that off, or a wait takes several times as " +
      "long.",
    takesFilter: true,
    queryParameters: WAIT_PARAMETERS,
    answers: {
      200: spans("They are there. With `absent=true`: none came, and there is none here."),
      408: withRange(problem("They did not come in time.", "TimeUpProblem")),
      409: withRange(problem("With `absent=true`: one is there.", "PresentProblem")),
      410: GONE,
      503: BUSY_OR_STOPPING,
    },
    answer: answerWait,
  }),
  route({
    method: "GET",
    path: "/api/tail",
    summary: "Follow spans as they come",
    description:
      'One span a line. `{"missed":N}` (as an event: `missed`) says that so many are missing: ' +
      "evicted before they could be looked at, for the reader was too slow, whether they match " +
      "or not, or not copied, for answers under way held too much memory. An empty line (as " +
      "events: a comment) at the beginning, and whenever nothing else comes for 15 seconds, " +
      "shows that the connection lives. A reader may be slow: only where " +
      `${MAX_TAILS} follow, and another wants to, one who has taken nothing of what there is for ` +
      "a minute is disconnected, the one who has done so longest. As events, the identifier is " +
      `\`RUN-SEQUENCE\`, and \`${LAST_EVENT_ID}\` goes on after it, as \`after\` does.`,
    takesFilter: true,
    queryParameters: { after: AFTER_OR_NOW },
    answers: {
      200: {
        meaning: "Ends when the server stops, or when its place is wanted and nobody reads.",
        bodies: { [NDJSON_TYPE]: "TailLine", [EVENT_STREAM_TYPE]: undefined },
        tellsRange: "first",
      },
      410: GONE,
      503: BUSY_OR_STOPPING,
    },
    answer: answerTail,
  }),
  route({
    method: "GET",
    path: "/api/openapi.json",
    summary: "This description",
    answers: { 200: json("OpenAPI 3.1.", "Description") },
    answer: answerDescription,
  }),
];
