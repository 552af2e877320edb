import type { WatchedArrivals } from "../../application/arrivals/arrivals.ts";
import type { RecentProblem } from "../../application/receiving/problem-registry.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { AnswerBudget } from "./answer-budget.ts";
import type { ForwardStatus } from "../../application/forwarding/forward-status.ts";
import type { Parameters, ValuesOf } from "./parameter.ts";
import type { Semaphore } from "../../application/waiting/semaphore.ts";
import type { KnownParameters, ReadParameters } from "./query.ts";
import type { TailPermits } from "./tail-permits.ts";
import type { SpanReader } from "../../ports/trace-buffer.ts";

export type Readiness = "starting" | "ready" | "stopping";

/** Where spans go on to, and how that is going. */
export interface ForwardReading {
  /** Without anything that may be secret. */
  readonly endpoint: string;
  readonly status: () => ForwardStatus;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** What is the same for every request. */
export interface RouteContext {
  readonly buffer: SpanReader;
  readonly arrivals: WatchedArrivals;
  readonly budget: AnswerBudget;
  /** Identifies this run: every sequence in an answer is of it. */
  readonly runId: string;
  readonly waits: Semaphore;
  readonly tails: TailPermits;
  /** Traces that are followed, by all who wait for one together. */
  readonly followed: Semaphore;
  /** Aborted when the program stops: nobody waits any longer. */
  readonly stopping: AbortSignal;
  readonly readiness: () => Readiness;
  /** Whether the buffer is so full that spans may be lost; undefined where nobody minds. */
  readonly highWater: () => boolean | undefined;
  /** What was refused or discarded, by any listener. */
  readonly problems: ProblemLog & { list(): readonly RecentProblem[] };
  readonly clock: SleepingClock;
  readonly uptimeMs: () => number;
  readonly version: string;
  /** Not there when nothing is forwarded. */
  readonly forward?: ForwardReading | undefined;
  readonly isLoopbackOnly: boolean;
  /** Returns the page that Prometheus scrapes. */
  readonly metrics: () => MetricsText;
  /** Returns the OpenAPI document. */
  readonly description: () => object;
  readonly logger: Logger;
  /** Whether a connection without traffic is closed: not while somebody waits or follows. */
  readonly allowIdling: (request: Request, mayIdle: boolean) => void;
}

/** A request whose parameters are all right. */
export interface Asked<Values> extends ReadParameters {
  readonly values: Values & Readonly<Record<string, unknown>>;
  readonly request: Request;
}

/** What a status means, and the bodies it comes with: by media type, the name of a schema. */
export interface AnswerMeaning {
  readonly meaning: string;
  /** Without a name where a schema has nothing to say, as of bytes. */
  readonly bodies: Readonly<Record<string, string | undefined>>;
  /** Which headers tell of the sequences that it saw: all of them, or (it goes on) the first. */
  readonly tellsRange?: "all" | "first";
}

interface RouteTelling {
  /** One that answers GET answers HEAD too; Bun leaves the body out. */
  readonly method: "GET" | "POST" | "DELETE";
  /** With the names of its parameters in braces. */
  readonly path: string;
  /** A few words. */
  readonly summary: string;
  /** What else there is to know. */
  readonly description?: string;
  /** By status; what every route may answer is not listed. */
  readonly answers: Readonly<Record<number, AnswerMeaning>>;
}

/** Everything about one route: it is routed, checked and described by this. */
export interface Route extends RouteTelling, KnownParameters {
  answer(context: RouteContext, asked: Asked<unknown>): Response | Promise<Response>;
}

interface RouteDefinition<Path extends Parameters, Query extends Parameters> extends RouteTelling {
  readonly pathParameters?: Path;
  readonly queryParameters?: Query;
  readonly takesFilter?: boolean;
  readonly answer: (
    context: RouteContext,
    asked: Asked<ValuesOf<Path> & ValuesOf<Query>>,
  ) => Response | Promise<Response>;
}

/** The values that `answer` gets are of the types that its parameters read. */
export function route<Path extends Parameters = {}, Query extends Parameters = {}>(
  definition: RouteDefinition<Path, Query>,
): Route {
  const { answer, ...telling } = definition;
  return {
    pathParameters: {},
    queryParameters: {},
    takesFilter: false,
    ...telling,
    answer: (context, asked) =>
      // Read by these parameters, so that the values are of their types.
      answer(context, asked as Asked<ValuesOf<Path> & ValuesOf<Query>>),
  };
}
