import type { Durability } from "../../application/log/log-state.ts";
import type { LogStats } from "../../application/log/span-log.ts";
import type { Written } from "../api-messages/message.ts";
import type { receivers } from "../api-messages/receivers.ts";
import type { WatchedArrivals } from "../../application/arrivals/arrivals.ts";
import type { ExporterCounts } from "../../application/receiving/exporter-counts.ts";
import type { RecentProblem } from "../../application/receiving/problem-registry.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger, ProblemLog } from "../../ports/logger.ts";
import type { TokenGate } from "../listening/token-gate.ts";
import type { AnswerBudget } from "./answer-budget.ts";
import type { ForwardStatus } from "../../application/forwarding/forward-status.ts";
import type { Parameters, ValuesOf } from "./parameter.ts";
import type { Semaphore } from "../../application/waiting/semaphore.ts";
import type { KnownParameters, ReadParameters } from "./query.ts";
import type { TailPermits } from "./tail-permits.ts";
import type { UploadParts } from "./upload/receive-file.ts";
import type { SpanReader } from "../../ports/trace-buffer.ts";

export type Readiness = "starting" | "ready" | "stopping";

/** The upstream, and the state of forwarding. */
export interface ForwardReading {
  /** The URL, without secrets. */
  readonly endpoint: string;
  readonly status: () => ForwardStatus;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** The state of the log on disk. */
export interface DiskReading extends LogStats {
  readonly durability: Durability;
}

/** Where spans can be sent, and what their senders need. */
export type ReceiversReading = Written<typeof receivers>;

/** The parts and settings that all requests share. */
export interface RouteContext {
  readonly buffer: SpanReader;
  readonly arrivals: WatchedArrivals;
  readonly budget: AnswerBudget;
  /** Identifies this run, which numbers all spans. */
  readonly runId: string;
  readonly waits: Semaphore;
  readonly tails: TailPermits;
  /** Permits for uploads. */
  readonly uploads: Semaphore;
  /** What receives uploaded files; undefined if uploads are refused. */
  readonly upload?: UploadParts | undefined;
  /** Permits for the traces that all waits follow together. */
  readonly followed: Semaphore;
  /** Aborted when the program stops: waits and tails end. */
  readonly stopping: AbortSignal;
  readonly readiness: () => Readiness;
  /** Reports whether the buffer is nearly full; undefined unless spans are forwarded. */
  readonly highWater: () => boolean | undefined;
  /** The problems of all listeners. */
  readonly problems: ProblemLog & { list(): readonly RecentProblem[] };
  readonly exporters: () => ExporterCounts;
  readonly clock: SleepingClock;
  readonly uptimeMs: () => number;
  readonly version: string;
  readonly receivers: () => ReceiversReading;
  /** Undefined unless spans are forwarded. */
  readonly forward?: ForwardReading | undefined;
  /** Reads the log on disk; undefined if the spans are in memory only. */
  readonly disk?: (() => DiskReading) | undefined;
  readonly isLoopbackOnly: boolean;
  /** Returns the page that Prometheus scrapes. */
  readonly metrics: () => MetricsText;
  /** Returns the OpenAPI document. */
  readonly description: () => object;
  readonly logger: Logger;
  /** Checks the tokens of requests; undefined if no token is required. */
  readonly gate?: TokenGate | undefined;
  /** Sets whether the connection may be without traffic, as it is during waits and tails. */
  readonly allowIdling: (request: ApiRequest, mayIdle: boolean) => void;
}

/** A request; only routes with a `bodyType` get its body. */
export interface ApiRequest extends Pick<Request, "method" | "url" | "headers" | "signal"> {
  readonly bodyChunks?: AsyncIterable<Uint8Array>;
}

/** A request with valid parameters. */
export interface ParsedRequest<Values> extends ReadParameters {
  readonly values: Values & Readonly<Record<string, unknown>>;
  readonly request: ApiRequest;
}

/** Describes an answer: its meaning, and the name of the schema of its body by media type. */
export interface AnswerDescription {
  readonly meaning: string;
  /** The schema by media type; undefined for bytes, which have none. */
  readonly bodies: Readonly<Record<string, string | undefined>>;
  /** The headers that report the searched range: all, or for an endless answer only the first. */
  readonly reportsRange?: "all" | "first";
}

interface RouteDescription {
  /** A route for GET answers HEAD as well; Bun leaves the body out. */
  readonly method: "GET" | "POST" | "DELETE";
  /** The path, with parameter names in braces. */
  readonly path: string;
  /** The summary, in a few words. */
  readonly summary: string;
  /** The details. */
  readonly description?: string;
  /** Whether the route needs no token even if others do: probes cannot send one everywhere. */
  readonly isOpen?: true;
  /** The media type of the body that the route reads; without it, bodies are discarded. */
  readonly bodyType?: string;
  /** The answers by status, except those that every route may give. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
}

/** Describes a route: requests are routed, checked and documented by it. */
export interface Route extends RouteDescription, KnownParameters {
  answer(context: RouteContext, parsed: ParsedRequest<unknown>): Response | Promise<Response>;
}

interface RouteDefinition<
  Path extends Parameters,
  Query extends Parameters,
> extends RouteDescription {
  readonly pathParameters?: Path;
  readonly queryParameters?: Query;
  readonly takesFilter?: boolean;
  readonly answer: (
    context: RouteContext,
    parsed: ParsedRequest<ValuesOf<Path> & ValuesOf<Query>>,
  ) => Response | Promise<Response>;
}

/** Infers the types of the values that `answer` gets from the parameters. */
export function route<Path extends Parameters = {}, Query extends Parameters = {}>(
  definition: RouteDefinition<Path, Query>,
): Route {
  const { answer, ...described } = definition;
  return {
    pathParameters: {},
    queryParameters: {},
    takesFilter: false,
    ...described,
    answer: (context, parsed) =>
      // These parameters have read the values, so the types match.
      answer(context, parsed as ParsedRequest<ValuesOf<Path> & ValuesOf<Query>>),
  };
}
