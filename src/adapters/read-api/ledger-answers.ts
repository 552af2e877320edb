import type { RecentProblem } from "../../application/receiving/problem-registry.ts";
import { ANSWER_HEADERS } from "./problem.ts";
import type { ForwardReading, RouteContext } from "./route.ts";
import { rangeHeaders, rangeMember } from "./span-answer.ts";
import type { ForwardStatus } from "../../application/forwarding/forward-status.ts";
import { JSON_TYPE } from "./media-type.ts";

export function answerHealth(): Response {
  return jsonResponse({ status: "alive" });
}

/**
 * At high water, and while the upstream fails, it is as ready as before: exporters that it turned
 * away would lose more.
 */
export function answerReadiness({ readiness, highWater, forward }: RouteContext): Response {
  const status = readiness();
  const high_water = highWater();
  const forwarding = forward === undefined ? {} : { forward: forwardReadiness(forward) };
  const body = { status, high_water, ...forwarding };
  return jsonResponse(body, { status: status === "ready" ? 200 : 503 });
}

export function answerStats(context: RouteContext): Response {
  const { buffer, runId, uptimeMs, version, forward } = context;
  const { spans, bytes, capacity, sequence: range } = buffer.stats();
  const sequence = rangeMember(runId, range);
  const uptime_seconds = Math.round(uptimeMs()) / 1000;
  const forwarding = forward === undefined ? {} : { forward: forwardMember(forward) };
  const body = { spans, bytes, capacity, sequence, ...forwarding, uptime_seconds, version };
  return jsonResponse(body, { headers: rangeHeaders(range) });
}

export function answerServices({ buffer, runId }: RouteContext): Response {
  const services = buffer.services().map(({ service, spans, bytes, lastSeenUnixMs }) => {
    return { service, spans, bytes, lastSeen: new Date(lastSeenUnixMs).toISOString() };
  });
  const range = buffer.range();
  const body = { services, sequence: rangeMember(runId, range) };
  return jsonResponse(body, { headers: rangeHeaders(range) });
}

/** What was refused or discarded: what an exporter may never have told its user. */
export function answerProblems({ problems }: RouteContext): Response {
  return jsonResponse({ problems: problems.list().map(problemMember) });
}

/** What is not known is left out: JSON has no member that is undefined. */
function problemMember({ firstUnixMs, lastUnixMs, ...problem }: RecentProblem): object {
  const [first, last] = [firstUnixMs, lastUnixMs].map((ms) => new Date(ms).toISOString());
  const { protocol, reason, count, hint } = problem;
  const address = problem.address || undefined;
  const detail = problem.detail || undefined;
  return { protocol, reason, address, count, first, last, detail, hint };
}

/** The sequences are those of the spans that were there; what comes next has `next`. */
export function answerClear({ buffer, arrivals, runId }: RouteContext): Response {
  const range = buffer.range();
  const body = { removed: arrivals.clear(), sequence: rangeMember(runId, range) };
  return jsonResponse(body, { headers: rangeHeaders(range) });
}

export function answerMetrics({ metrics }: RouteContext): Response {
  const { contentType, text } = metrics();
  return new Response(text, { headers: { ...ANSWER_HEADERS, "Content-Type": contentType } });
}

export function answerDescription({ description }: RouteContext): Response {
  return jsonResponse(description);
}

/** The member `forward` of the books; `openapi-schemas.ts` has its schema. */
export function forwardMember({ endpoint, status }: ForwardReading): object {
  const { state, pauseLeftMs, lastError, spansPerSecond, lagMs, figures } = status();
  const { batches, undeliverableSpans, retriedSpans, inFlightBatches, inFlightSpans } = figures;
  return {
    endpoint,
    state,
    ...(isFailing(state) ? { retry_in_ms: Math.ceil(pauseLeftMs) } : {}),
    ...(lastError === undefined ? {} : { last_error: errorMember(lastError) }),
    spans_per_second: Math.round(spansPerSecond * 10) / 10,
    lag_seconds: Math.round(lagMs) / 1000,
    in_flight: { batches: inFlightBatches, spans: inFlightSpans },
    retried_spans: retriedSpans,
    undeliverable: { ...undeliverableSpans },
    batches: { ...batches },
  };
}

/** What `/readyz` says of forwarding: the state, and while it fails why, and what to check. */
export function forwardReadiness({ status }: ForwardReading): object {
  const { state, lastError } = status();
  const isTold = isFailing(state) && lastError !== undefined;
  return { state, ...(isTold ? { last_error: errorMember(lastError) } : {}) };
}

function isFailing(state: ForwardStatus["state"]): boolean {
  return state === "backing_off" || state === "blocked";
}

function errorMember({ message, hint, unixMs }: NonNullable<ForwardStatus["lastError"]>): object {
  const advice = hint === undefined ? {} : { hint };
  return { message, ...advice, time: new Date(unixMs).toISOString() };
}

/** For an answer that is small whatever there is in the buffer. */
export function jsonResponse(
  body: object,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const all = { ...ANSWER_HEADERS, "Content-Type": JSON_TYPE, ...headers };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers: all });
}
