import * as z from "zod/mini";
import {
  UNDELIVERABLE_REASONS,
  UPSTREAM_STATES,
  zeroForwardFigures,
} from "../../application/forwarding/forward-status.ts";
import { DISK_STATES, DURABILITIES } from "../../application/log/log-state.ts";
import { PROBLEM_PROTOCOLS, PROBLEM_REASONS } from "../../domain/problem-reason.ts";
import {
  amount,
  count,
  countsOf,
  described,
  list,
  message,
  once,
  otlp,
  text,
  time,
  word,
} from "./message.ts";
import { problemMembers } from "./problem-members.ts";
import { receiver, receivers } from "./receivers.ts";
import { sequenceRange } from "./sequence-range.ts";
import { operations, serviceGraph, traces } from "./summaries.ts";
import { upload } from "./upload.ts";
import { expectationProblem, presentProblem, timeUpProblem } from "./wait-messages.ts";

/**
 * Describes each JSON response of the read API once. The types of its writer and readers, its
 * validation in the command line, and its schema in the API description derive from this. Every
 * member is present unless it is optional; later versions may add members, states and reasons.
 */

export const health = message("Health", () => z.object({ status: z.enum(["alive"]) }));

const lastError = once(() =>
  z.object({ message: text(), hint: z.optional(text("What to check.")), time: time() }),
);

export const readiness = message("Readiness", () =>
  z.object({
    status: z.enum(["starting", "ready", "refusing", "stopping"]),
    high_water: described(
      z.optional(z.boolean()),
      "Whether the buffer is as full as `FORWARD_HIGH_WATER`, or was in the last ten seconds, so " +
        "that spans may soon be lost. The status stays 200, because turning exporters away " +
        "would lose more. Absent unless forwarding is enabled.",
    ),
    forward: described(
      z.optional(z.object({ state: word(UPSTREAM_STATES), last_error: z.optional(lastError()) })),
      "The state of the upstream and, while it fails, the reason and what to check. It does not " +
        "affect the status, because spans wait in the buffer. Absent unless forwarding is enabled.",
    ),
    disk: described(
      z.optional(z.object({ state: word(DISK_STATES), error: z.optional(text()) })),
      "The state of the log on disk and, while it fails, the reason. After each failed attempt, " +
        "requests are refused with UNAVAILABLE for up to 30 s, and the status is `refusing`; the " +
        "next request after that makes an attempt. With `DISK_FAILURE=memory`, the state is " +
        "`memory_only` instead, and the status stays `ready`. Absent unless `DATA_DIR` is set.",
    ),
  }),
);

export const ledger = message(
  "Ledger",
  () =>
    z.object({
      received: count(),
      rejected: count(),
      accepted: count(),
      buffered: count(),
      taken: count(),
      delivered: count(),
      evicted: count(),
      undeliverable: count(),
    }),
  "received = rejected + accepted; accepted = " +
    "buffered + taken + delivered + evicted + undeliverable",
);

export const forward = message(
  "Forward",
  () =>
    z.object({
      endpoint: text("The URL, without user, password and query."),
      state: word(UPSTREAM_STATES),
      retry_in_ms: z.optional(
        count("Present in the states `backing_off` and `blocked`; 0 during an attempt."),
      ),
      last_error: described(z.optional(lastError()), "Absent before the first error."),
      spans_per_second: amount("The rate of delivery over the last ten seconds."),
      lag_seconds: amount("The age of the oldest span that has not been delivered."),
      in_flight: z.object({ batches: count(), spans: count() }),
      retried_spans: count(
        "Spans of failed attempts, once per attempt; the upstream may have received some of them.",
      ),
      undeliverable: countsOf(
        UNDELIVERABLE_REASONS,
        "Spans that will never be delivered, by reason.",
      ),
      batches: countsOf(batchOutcomes(), "Batches, by outcome."),
    }),
  "The state of forwarding.",
);

function batchOutcomes() {
  const { batches } = zeroForwardFigures();
  return Object.keys(batches) as (keyof typeof batches)[];
}

function describedAmount(meaning: string) {
  return described(z.object({ spans: count(), bytes: count() }), meaning);
}

const disk = message(
  "Disk",
  () =>
    z.object({
      durability: word(DURABILITIES, "When a request is acknowledged."),
      state: word(DISK_STATES),
      error: z.optional(text("Present while the disk fails.")),
      used_bytes: count("The size of all files of the log."),
      max_bytes: count("The limit of it."),
      segments: count("The number of files."),
      queued_bytes: count("The size of the requests that wait for the disk."),
      in_memory: describedAmount("Buffered spans that are in memory: the newest."),
      only_on_disk: describedAmount(
        "Buffered spans that are on disk only: the oldest. They are taken and forwarded first; " +
          "queries, waits and the page do not cover them.",
      ),
      only_in_memory: describedAmount(
        "Buffered spans that are in memory only, because the disk failed when they arrived, or " +
          "because only a stop writes them. A crash loses them.",
      ),
    }),
  "The log on disk. It has every buffered span but those in memory only.",
);

const requestsBySignal = once(() => z.object({ traces: count(), metrics: count(), logs: count() }));

const exporters = message(
  "Exporters",
  () =>
    z.object({
      grpc: z.object({ connections: count(), requests: requestsBySignal() }),
      http: z.object({ requests: requestsBySignal() }),
    }),
  "Connections and requests since the start, whether spans came of them or not. Requests to " +
    "other paths are only in `/api/problems`; connections of OTLP/HTTP are not counted.",
);

export const stats = message("Stats", () =>
  z.object({
    spans: ledger(),
    bytes: ledger(),
    capacity: z.object({ spans: count(), bytes: count() }),
    sequence: sequenceRange(),
    exporters: exporters(),
    forward: z.optional(forward()),
    disk: z.optional(disk()),
    uptime_seconds: amount(),
    version: text(),
  }),
);

export const services = message("Services", () =>
  z.object({
    services: list(
      z.object({ service: text(), spans: ledger(), bytes: ledger(), lastSeen: time() }),
    ),
    sequence: sequenceRange(),
  }),
);

export const problems = message("Problems", () =>
  z.object({
    problems: list(
      z.object({
        protocol: word(PROBLEM_PROTOCOLS, "The listener."),
        reason: word(PROBLEM_REASONS),
        address: z.optional(text("The address of the peer, if a peer caused the problem.")),
        count: count(),
        first: time(),
        last: time(),
        detail: z.optional(text("Details of the last occurrence.")),
        hint: text("What to do about it."),
      }),
    ),
  }),
);

export const cleared = message("Cleared", () =>
  z.object({ removed: count(), sequence: sequenceRange() }),
);

/** The only line of a tail that is not a span. */
export const missedSpans = once(() =>
  described(
    z.object({ missed: count() }),
    "The number of spans missing before the next line: those evicted before they could be " +
      "searched, and those not copied because responses in progress held too much memory.",
  ),
);

const tailLine = message("TailLine", () => z.union([otlp("SpanLine"), missedSpans()]));

/** Source: RFC 9457, problem details. */
export const problem = message("Problem", () => z.object(problemMembers()));

const noTraceProblem = message("NoTraceProblem", () =>
  z.required(z.object({ ...problemMembers(), sequence: sequenceRange() })),
);

const goneProblem = message("GoneProblem", () =>
  z.required(z.object({ ...problemMembers(), sequence: sequenceRange() })),
);

const description = message("Description", () =>
  z.object({
    openapi: text(),
    info: any(),
    paths: any(),
    security: z.array(any()),
    components: any(),
  }),
);

function any() {
  return z.record(z.string(), z.unknown());
}

/** Lists the messages that the API description names. */
export const MESSAGES = [
  health,
  readiness,
  ledger,
  sequenceRange,
  forward,
  disk,
  exporters,
  stats,
  receiver,
  receivers,
  services,
  problems,
  cleared,
  upload,
  traces,
  operations,
  serviceGraph,
  tailLine,
  problem,
  noTraceProblem,
  goneProblem,
  timeUpProblem,
  presentProblem,
  expectationProblem,
  description,
] as const;
