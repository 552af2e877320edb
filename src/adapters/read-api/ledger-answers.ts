import type { Message, Written } from "../api-messages/message.ts";
import type {
  cleared,
  forward,
  health,
  problems,
  readiness,
  services,
  stats,
} from "../api-messages/messages.ts";
import type { receivers } from "../api-messages/receivers.ts";
import type { BufferStats } from "../../domain/ledger.ts";
import type { RecentProblem } from "../../application/receiving/problem-registry.ts";
import { ANSWER_HEADERS } from "./problem.ts";
import type { DiskReading, ForwardReading, Readiness, RouteContext } from "./route.ts";
import { rangeHeaders, rangeMember } from "./span-answer.ts";
import type { ForwardStatus } from "../../application/forwarding/forward-status.ts";
import { JSON_TYPE } from "./media-type.ts";

export function answerHealth(): Response {
  return jsonResponse<typeof health>({ status: "alive" });
}

/**
 * Reports the readiness. It stays ready at high water and while the upstream fails, because turning
 * exporters away would lose more spans. While the disk refuses requests, another receiver should
 * get them; but not for longer, because only a request finds out that the disk works again.
 */
export function answerReadiness(context: RouteContext): Response {
  const { highWater, forward, disk } = context;
  const log = disk?.();
  const status = readinessOf(context.readiness(), log);
  const high_water = highWater();
  const forwarding = forward && forwardReadiness(forward);
  const body = { status, high_water, forward: forwarding, disk: log && diskState(log) };
  return jsonResponse<typeof readiness>(body, { status: status === "ready" ? 200 : 503 });
}

function readinessOf(state: Readiness, log: DiskReading | undefined): Readiness | "refusing" {
  return state === "ready" && log?.isRefusing === true ? "refusing" : state;
}

export function answerStats(context: RouteContext): Response {
  const { buffer, runId, uptimeMs, version } = context;
  const read = buffer.stats();
  const { spans, bytes, capacity, sequence: range } = read;
  const sequence = rangeMember(runId, range);
  const uptime_seconds = Math.round(uptimeMs()) / 1000;
  const forward = context.forward && forwardMember(context.forward);
  const disk = context.disk && diskMember(context.disk(), read);
  const exporters = context.exporters();
  const rest = { sequence, exporters, forward, disk, uptime_seconds, version };
  const body = { spans, bytes, capacity, ...rest };
  return jsonResponse<typeof stats>(body, { headers: rangeHeaders(range) });
}

/** Reports where spans can be sent, for instructions. */
export function answerReceivers(context: RouteContext): Response {
  return jsonResponse<typeof receivers>(context.receivers());
}

export function answerServices({ buffer, runId }: RouteContext): Response {
  const all = buffer.services().map(({ service, spans, bytes, lastSeenUnixMs }) => {
    return { service, spans, bytes, lastSeen: new Date(lastSeenUnixMs).toISOString() };
  });
  const range = buffer.range();
  const body = { services: all, sequence: rangeMember(runId, range) };
  return jsonResponse<typeof services>(body, { headers: rangeHeaders(range) });
}

/** Lists what was refused or discarded, because many exporters do not report it to their user. */
export function answerProblems(context: RouteContext): Response {
  return jsonResponse<typeof problems>({ problems: context.problems.list().map(problemMember) });
}

/** Returns a problem as a member of the list, without its unknown values. */
function problemMember({ firstUnixMs, lastUnixMs, ...problem }: RecentProblem) {
  const first = new Date(firstUnixMs).toISOString();
  const last = new Date(lastUnixMs).toISOString();
  const { protocol, reason, count, hint } = problem;
  const address = problem.address || undefined;
  const detail = problem.detail || undefined;
  return { protocol, reason, address, count, first, last, detail, hint };
}

/** Reports the sequences of the spans that were removed; the next span gets `next`. */
export function answerClear({ buffer, arrivals, runId }: RouteContext): Response {
  const range = buffer.range();
  const body = { removed: arrivals.clear(), sequence: rangeMember(runId, range) };
  return jsonResponse<typeof cleared>(body, { headers: rangeHeaders(range) });
}

export function answerMetrics({ metrics }: RouteContext): Response {
  const { contentType, text } = metrics();
  return new Response(text, { headers: { ...ANSWER_HEADERS, "Content-Type": contentType } });
}

export function answerDescription({ description }: RouteContext): Response {
  return jsonResponse(description());
}

/** Returns the member `forward` of `/api/stats`. */
export function forwardMember({ endpoint, status }: ForwardReading): Written<typeof forward> {
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

/** Returns the member `disk` of `/api/stats`. */
function diskMember(reading: DiskReading, { spans, bytes, spilled }: BufferStats) {
  const { durability, disk, segments, queuedBytes } = reading;
  const { usedBytes: used_bytes, maxBytes: max_bytes } = disk;
  const only_on_disk = { spans: spilled?.spans ?? 0, bytes: spilled?.bytes ?? 0 };
  const in_memory = {
    spans: spans.buffered - only_on_disk.spans,
    bytes: bytes.buffered - only_on_disk.bytes,
  };
  const only_in_memory = {
    spans: spans.buffered - reading.spans.buffered,
    bytes: bytes.buffered - reading.bytes.buffered,
  };
  const files = { used_bytes, max_bytes, segments, queued_bytes: queuedBytes };
  const amounts = { ...files, in_memory, only_on_disk, only_in_memory };
  return { durability, ...diskState(reading), ...amounts };
}

/** Returns the member `disk` of `/readyz`: while the disk fails, with the reason. */
function diskState({ failure, isMemoryOnly }: DiskReading) {
  if (failure === undefined) return { state: "writable" } as const;
  return { state: isMemoryOnly ? "memory_only" : "failing", error: failure } as const;
}

/** Returns the member `forward` of `/readyz`: while forwarding fails, why, and what to check. */
function forwardReadiness({ status }: ForwardReading) {
  const { state, lastError } = status();
  const isShown = isFailing(state) && lastError !== undefined;
  return { state, ...(isShown ? { last_error: errorMember(lastError) } : {}) };
}

function isFailing(state: ForwardStatus["state"]): boolean {
  return state === "backing_off" || state === "blocked";
}

function errorMember({ message, hint, unixMs }: NonNullable<ForwardStatus["lastError"]>) {
  const advice = hint === undefined ? {} : { hint };
  return { message, ...advice, time: new Date(unixMs).toISOString() };
}

/** Returns a JSON response that is small, however many spans are buffered. */
export function jsonResponse<Described extends Message>(
  body: Written<Described>,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const all = { ...ANSWER_HEADERS, "Content-Type": JSON_TYPE, ...headers };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers: all });
}
