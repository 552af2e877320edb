/**
 * Runs spanring inside the process of a test: `import { startSpanring } from "spanring/testing"`.
 *
 *     await using ring = await startSpanring();
 *     // ... run code that exports to ring.endpoints.http ...
 *     const [span] = await ring.waitFor({ name: "GET /" });
 */
import packageJson from "../package.json" with { type: "json" };
import { SYSTEM_CLOCK } from "./adapters/clock/system-clock.ts";
import { lossesOf, lossTexts } from "./adapters/cli/run/check-expectations.ts";
import { SILENT_LOGGER } from "./adapters/logging/silent-logger.ts";
import { NO_ROOM } from "./adapters/read-api/wait-problems.ts";
import { ProtobufSpanCodec } from "./adapters/otlp/span-codec.ts";
import type { ProblemTotal } from "./application/receiving/problem-registry.ts";
import { querySpans } from "./application/querying/query-spans.ts";
import { type NearMiss, waitForSpans } from "./application/waiting/wait-for-spans.ts";
import { type Config, type Environment, ON_FREE_PORTS, readConfig } from "./config/config.ts";
import {
  type ConditionName,
  readCondition,
  type RepeatableName,
  type SpanFilter,
} from "./domain/query/span-filter.ts";
import { NANOS_PER_MS } from "./domain/time.ts";
import type { TraceSpan } from "./domain/trace-span.ts";
import type { Logger } from "./ports/logger.ts";
import { CannotStartError, type RunningServer, startServer } from "./server/server.ts";

/**
 * Selects spans by the filters of the read API, as text by name. `attribute` is `key=value`.
 * Conditions on attributes may be lists, all of which must match.
 */
export type SpanConditions = {
  readonly [Name in ConditionName]?: Name extends RepeatableName
    ? string | readonly string[]
    : string;
};

export interface WaitOptions {
  /** The number of spans to wait for; 1 by default. */
  readonly count?: number;
  /** The time limit; 5000 by default, which is the limit of most test runners. */
  readonly timeoutMs?: number;
}

/**
 * A running spanring. If spanring itself fails, spans sent to it may be missing, so `waitFor` and
 * `spans` then reject with the reason.
 */
export interface TestSpanring extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT` and the exporters' `url`: base URLs, without a path. */
  readonly endpoints: { readonly grpc: string; readonly http: string; readonly api: string };
  /**
   * Resolves with the matching spans as soon as there are enough, counted from the start or the
   * last `reset`. Rejects if the time is up, and reports the spans found and the requests refused;
   * if a condition is invalid; if there is no room for another filter; and after `stop`.
   */
  waitFor(conditions: SpanConditions, options?: WaitOptions): Promise<TraceSpan[]>;
  /** Returns the matching spans in order of arrival; all spans if there are no conditions. */
  spans(conditions?: SpanConditions): Promise<TraceSpan[]>;
  /** Removes all spans and problems recorded so far. */
  reset(): void;
  stop(): Promise<void>;
}

export interface SpanringOptions {
  /** Variables such as `MAX_BUFFER_SIZE`. Ports that are not set are free ports. */
  readonly env?: Environment;
}

const STOP_GRACE_MS = 1_000;
const TIMEOUT_MS = 5_000;
const EVERY_SPAN = Number.MAX_SAFE_INTEGER;

const codec = new ProtobufSpanCodec();

/** Starts a receiver with all its listeners. Rejects if `options.env` has a mistake. */
export async function startSpanring(options: SpanringOptions = {}): Promise<TestSpanring> {
  const reading = readConfig({ ...ON_FREE_PORTS, ...options.env });
  if (!reading.ok) throw new Error(mistakesText(reading.mistakes));
  const server = await startQuietly(reading.config);
  const stopping = new AbortController();
  const stop = async () => {
    stopping.abort(new Error("spanring was stopped; spans() returns what arrived before"));
    await server.stop(STOP_GRACE_MS);
  };
  const problems = problemsSince(server.problems);
  const ended = AbortSignal.any([server.failed, stopping.signal]);
  const watched = { ...server, problems: problems.totals, ended };
  // Async functions, so that invalid conditions reject instead of throwing.
  return {
    endpoints: endpointsOf(reading.config, server),
    waitFor: async (conditions, wait = {}) => await waitFor(watched, filterOf(conditions), wait),
    spans: async (conditions = {}) => await spansOf(server, filterOf(conditions)),
    reset: () => {
      server.arrivals.clear();
      problems.reset();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function mistakesText(mistakes: readonly { variable: string; value: string; bound: string }[]) {
  return mistakes
    .map(({ variable, value, bound }) => `${variable}="${value}": must be ${bound}`)
    .join("\n");
}

/** A server without a log. */
interface QuietServer extends RunningServer {
  /** Aborted by the first error that the server logs, with the reason. */
  readonly failed: AbortSignal;
}

/** Rejects with the reason if a listener cannot start. */
async function startQuietly(config: Config): Promise<QuietServer> {
  const failing = new AbortController();
  const error: Logger["error"] = (event, fields) =>
    failing.abort(new Error(`spanring has failed: ${event} ${JSON.stringify(fields)}`));
  const logger = { ...SILENT_LOGGER, error };
  try {
    const server = await startServer({ config, logger, version: packageJson.version });
    return { ...server, failed: failing.signal };
  } catch (failure) {
    throw failure instanceof CannotStartError ? failing.signal.reason : failure;
  }
}

function endpointsOf(config: Config, { ports }: RunningServer): TestSpanring["endpoints"] {
  const urlOf = (listener: keyof typeof ports): string => {
    const address = config[listener];
    if (address !== "off" && address.socketMode !== undefined) return address.host;
    const scheme = address !== "off" && address.tls !== undefined ? "https" : "http";
    return `${scheme}://127.0.0.1:${ports[listener]}`;
  };
  return { grpc: urlOf("grpc"), http: urlOf("http"), api: urlOf("api") };
}

/** Keeps the order of the conditions, because a failed wait tries again without the last one. */
function filterOf(conditions: SpanConditions): SpanFilter {
  const nowUnixNano = BigInt(Date.now()) * NANOS_PER_MS;
  return Object.entries(conditions).flatMap(([name, texts]) =>
    [texts].flat().map((text) => {
      const condition = readCondition(name, checkedText(name, text), nowUnixNano);
      if ("mistake" in condition) throw new TypeError(condition.mistake);
      return condition;
    }),
  );
}

/**
 * Checks the type too, for callers in JavaScript. An undefined condition is an error: if it were
 * ignored, a test that has lost its value would match any span.
 */
function checkedText(name: string, text: unknown): string {
  if (typeof text === "string") return text;
  const found = text === undefined || text === null ? String(text) : `of type ${typeof text}`;
  throw new TypeError(`${name} is ${found}; it must be a string, or omitted`);
}

interface WatchedServer extends QuietServer {
  /** Aborted when the server has failed or was stopped. */
  readonly ended: AbortSignal;
}

async function waitFor(
  server: WatchedServer,
  filter: SpanFilter,
  { count = 1, timeoutMs = TIMEOUT_MS }: WaitOptions,
): Promise<TraceSpan[]> {
  const { buffer, arrivals, failed, ended } = server;
  const request = { filter, after: 0, count, timeoutMs, cancelled: ended };
  const outcome = await waitForSpans({ buffer, arrivals, clock: SYSTEM_CLOCK }, request);
  failed.throwIfAborted();
  if (outcome.outcome === "found") return codec.decode(outcome.spans.request);
  if (outcome.outcome === "cancelled") throw ended.reason;
  if (outcome.outcome === "no_room") {
    throw new Error(`no room for this wait: ${NO_ROOM[outcome.for].detail}`);
  }
  const { found, nearest } = outcome;
  const came = `${found} of ${count} spans arrived within ${timeoutMs} ms${nearText(nearest)}`;
  throw new Error([came, ...lossTexts(lossesOf(server))].join("\n"));
}

/** Returns the problems since the start or the last reset. */
function problemsSince(all: RunningServer["problems"]) {
  let before: readonly ProblemTotal[] = [];
  return {
    reset: () => void (before = all()),
    totals: () =>
      all().map((total, at) => {
        const { protocol, reason, detail, hint } = total;
        const count = total.count - (before[at]?.count ?? 0);
        return { protocol, reason, count, detail, hint };
      }),
  };
}

function nearText(nearest: NearMiss | undefined): string {
  if (nearest === undefined) return "";
  const { without, count, spans } = nearest;
  const names = codec.decode(spans.request).map(({ name }) => JSON.stringify(name));
  const some = names.length === 0 ? "" : `, such as ${names.join(", ")}`;
  return `; without the condition on ${without.on}, ${count} match${some}`;
}

async function spansOf({ buffer, failed }: QuietServer, filter: SpanFilter): Promise<TraceSpan[]> {
  const query = { filter, after: 0, limit: EVERY_SPAN, newestFirst: false };
  const { request } = await querySpans(buffer, query);
  failed.throwIfAborted();
  return codec.decode(request);
}
