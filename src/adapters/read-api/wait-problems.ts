import type { Message, Written } from "../api-messages/message.ts";
import type { problem } from "../api-messages/messages.ts";
import type { presentProblem, timeUpProblem } from "../api-messages/wait-messages.ts";
import type { SpanAnswer } from "../../application/querying/query-spans.ts";
import type {
  FollowedTrace,
  NearMiss,
  TimeUp,
  WaitOutcome,
} from "../../application/waiting/wait-for-spans.ts";
import { MAX_FOUND_TOGETHER } from "../../application/arrivals/filter-index.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { otlpJsonChunks } from "../otlp/json/otlp-json.ts";
import type { HeldAnswer } from "./answer-budget.ts";
import type { Chunk } from "./answer-stream.ts";
import { type Problem, PROBLEM_HEADERS, problemMembers, RETRY_SOON } from "./problem.ts";
import type { ParsedRequest } from "./route.ts";
import { type HeldAnswerParts, heldResponse, rangeHeaders, rangeMember } from "./span-answer.ts";
import { MAX_FOLLOWED_BY_ONE, MAX_FOLLOWED_TRACES } from "./parameter.ts";

export interface TimeUpAnswer {
  readonly outcome: TimeUp;
  readonly wanted: number;
  /** How long a trace must have received no span to be complete. */
  readonly quietMs: number;
  readonly parsed: ParsedRequest<{ readonly trace_complete: boolean }>;
}

/** The members that a problem of this kind has in addition to those of every problem. */
export type Beyond<Described extends Message> = Omit<
  Written<Described>,
  keyof Written<typeof problem>
>;

type NoRoom = Extract<WaitOutcome, { outcome: "no_room" }>["for"];

/** The problems of waits for which no room is left. A later attempt may find room. */
export const NO_ROOM: Readonly<Record<NoRoom, Problem>> = {
  filter: {
    status: 503,
    detail:
      `${MAX_FOUND_TOGETHER} waits with other filters already apply to the same spans; ` +
      "filter by a name, an attribute or a trace_id that fewer spans have",
    headers: RETRY_SOON,
  },
  own_traces: {
    status: 503,
    detail:
      `more than ${MAX_FOLLOWED_BY_ONE} traces have a matching span, and none of the ` +
      `${MAX_FOLLOWED_BY_ONE} that a wait can follow was complete in time; ` +
      "use a filter that fewer spans match",
    headers: RETRY_SOON,
  },
  all_traces: {
    status: 503,
    detail:
      `all waits together follow ${MAX_FOLLOWED_TRACES} traces, which is the limit, so not every ` +
      "trace with a matching span could be followed; try again later",
    headers: RETRY_SOON,
  },
};

/** Returns 408 with the number of matches, and the spans that match without the last condition. */
export function timeUpResponse(
  parts: HeldAnswerParts,
  held: HeldAnswer,
  answer: TimeUpAnswer,
): Response {
  const { outcome, wanted, parsed } = answer;
  const { found, nearest, incomplete, range } = outcome;
  const detail = parsed.values.trace_complete
    ? incompleteText(answer)
    : `${found} of ${wanted} spans arrived in time`;
  const members: Beyond<typeof timeUpProblem> = {
    found,
    wanted,
    ...nearestMembers(nearest, parsed.lastCondition),
    ...incompleteMembers(incomplete),
    sequence: rangeMember(parts.runId, range),
  };
  const problem: Problem = { status: 408, detail, members, headers: rangeHeaders(range) };
  return problemWithSpans(parts, held, { problem, request: nearest?.spans.request });
}

/** Returns why no trace was complete. */
function incompleteText({ outcome, wanted, quietMs }: TimeUpAnswer): string {
  const { found, incomplete } = outcome;
  if (found === 0) return "no matching span arrived in time";
  if (incomplete === undefined) return "no trace with a matching span was complete in time";
  const { traceId, traceCount } = incomplete;
  const missing = missingText(incomplete, { wanted, quietMs });
  if (traceCount > 1) {
    const none = `${found} spans of ${traceCount} traces match, but no trace was complete in time`;
    return `${none}; one is ${traceId}: ${missing}`;
  }
  const matches = found === 1 ? "1 span matches" : `${found} spans match`;
  return `${matches}, but the trace ${traceId} was not complete in time: ${missing}`;
}

const PARENTS_SHOWN = 3;

function missingText(
  { spanCount, hasRoot, missingParents }: FollowedTrace,
  { wanted, quietMs }: { readonly wanted: number; readonly quietMs: number },
): string {
  if (spanCount === 0) return "its spans have left the buffer";
  if (!hasRoot && missingParents.length === 0) {
    return "no root arrived, and its spans are parents of one another";
  }
  if (!hasRoot) return `no root arrived, and ${parentsText(missingParents)} missing`;
  if (spanCount < wanted) return `it has a root, but only ${spanCount} of ${wanted} spans`;
  return `it has a root, but was not quiet for ${quietMs} ms`;
}

function parentsText(parents: readonly string[]): string {
  if (parents.length === 1) return `the parent ${parents[0]} is`;
  const others = parents.length - PARENTS_SHOWN;
  const shown = parents.slice(0, PARENTS_SHOWN).join(", ");
  return `the parents ${shown}${others > 0 ? ` and ${others} more` : ""} are`;
}

function incompleteMembers(incomplete: FollowedTrace | undefined) {
  if (incomplete === undefined) return {};
  const { traceId, spanCount: spans, hasRoot, missingParents } = incomplete;
  return { incomplete: { traceId, spans, hasRoot, missingParents } };
}

function nearestMembers(nearest: NearMiss | undefined, condition = "") {
  if (nearest === undefined) return {};
  const { count } = nearest;
  return { nearest: { without: quotePeerText(condition), count, spans: SPANS_PLACEHOLDER } };
}

/** Returns 409 with the spans that were expected to be absent. */
export function presentResponse(
  parts: HeldAnswerParts,
  held: HeldAnswer,
  { request, range }: SpanAnswer,
): Response {
  const detail = "a span matches, but none was expected";
  const members: Beyond<typeof presentProblem> = {
    spans: SPANS_PLACEHOLDER,
    sequence: rangeMember(parts.runId, range),
  };
  const problem: Problem = { status: 409, detail, members, headers: rangeHeaders(range) };
  return problemWithSpans(parts, held, { problem, request });
}

interface ProblemWithSpans {
  readonly problem: Problem;
  /** The spans to write in place of `SPANS_PLACEHOLDER`. */
  readonly request: Uint8Array | undefined;
}

/** Returns a problem with spans in place of `SPANS_PLACEHOLDER`. */
export function problemWithSpans(
  parts: HeldAnswerParts,
  held: HeldAnswer,
  { problem, request }: ProblemWithSpans,
): Response {
  const { status } = problem;
  const headers = { ...PROBLEM_HEADERS, ...problem.headers };
  const chunks = jsonWithSpans(JSON.stringify(problemMembers(problem)), request);
  return heldResponse(parts, held, { status, headers, chunks });
}

/** Occurs in no text of a peer, because control characters are escaped there. */
export const SPANS_PLACEHOLDER = "\0";

function* jsonWithSpans(json: string, request: Uint8Array | undefined): Generator<Chunk> {
  const [before = "", after = ""] = json.split(JSON.stringify(SPANS_PLACEHOLDER));
  yield new TextEncoder().encode(before);
  if (request !== undefined) yield* otlpJsonChunks(request);
  yield new TextEncoder().encode(`${after}\n`);
}
