import type { WatchedArrivals } from "../../application/arrivals/arrivals.ts";
import { Semaphore } from "../../application/waiting/semaphore.ts";
import type { ListenAddress } from "../../config/config.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { once } from "../api-messages/message.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import { ServedPort } from "../listening/served-port.ts";
import { AnswerBudget } from "./answer-budget.ts";
import { answerRequest } from "./answer-request.ts";
import { isLoopbackName } from "./browser-guard.ts";
import { answerFault, PROBLEM_STATUSES } from "./problem.ts";
import { openApiDocument } from "./openapi.ts";
import type { Readiness, RouteContext } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { MAX_TAILS } from "./tail-answer.ts";
import { TailPermits } from "./tail-permits.ts";
import { MAX_FOLLOWED_TRACES, MAX_WAITS } from "./parameter.ts";
import type { SpanReader } from "../../ports/trace-buffer.ts";

export interface ReadApiParts {
  readonly address: ListenAddress;
  readonly buffer: SpanReader;
  /** Identifies the run that numbers the spans; digits and letters. */
  readonly runId: string;
  readonly arrivals: WatchedArrivals;
  /** Aborted before `stop`, which would otherwise wait for the ends of waits and tails. */
  readonly stopping: AbortSignal;
  readonly readiness: () => Readiness;
  readonly highWater: RouteContext["highWater"];
  readonly problems: RouteContext["problems"];
  readonly clock: SleepingClock;
  readonly uptimeMs: () => number;
  readonly version: string;
  readonly forward?: RouteContext["forward"];
  readonly metrics: RouteContext["metrics"];
  readonly logger: Logger;
  /** Checks the tokens of requests; without it, everyone may read. */
  readonly gate?: RouteContext["gate"];
  /** Bounds what answers under way hold together, except for one answer; 64 MiB by default. */
  readonly answerBudgetBytes?: number;
  /** The limits, by default `MAX_WAITS`, `MAX_TAILS` and `MAX_FOLLOWED_TRACES`. */
  readonly maxWaits?: number;
  readonly maxTails?: number;
  readonly maxFollowedTraces?: number;
}

export interface ReadApi extends PausableListener {
  /** The port in use, even if the address has port 0. */
  readonly port: number;
  /** Accepts no more connections, and resolves when the answers under way have been sent. */
  stop(): Promise<void>;
  /** Aborts the responses in progress. */
  abort(): Promise<void>;
  counts(): ReadApiCounts;
}

export interface ReadApiCounts {
  readonly requestsInFlight: number;
  readonly waits: number;
  readonly tails: number;
  /** The bytes that answers under way hold. */
  readonly answerBytes: number;
  /** Counts responses since the start by status, including those in progress. */
  readonly requestsByStatus: Readonly<Record<string, number>>;
}

/** The header of every response that lets clients notice a restart. */
const RUN_ID = "Spanring-Run-Id";

export const ANSWER_BUDGET_BYTES = 64 * 1024 * 1024;

/** Closes connections without traffic: between two requests, or if a reader has stopped reading. */
export const IDLE_TIMEOUT_SECONDS = 30;

/** Starts the server. Throws if it cannot listen; `code` is `EADDRINUSE` if the port is taken. */
export function startReadApi(parts: ReadApiParts): ReadApi {
  const { host, port: wantedPort } = parts.address;
  const owners: Owners = new WeakMap();
  const context: RouteContext = {
    ...parts,
    budget: new AnswerBudget(parts.answerBudgetBytes ?? ANSWER_BUDGET_BYTES),
    waits: new Semaphore(parts.maxWaits ?? MAX_WAITS),
    tails: new TailPermits(parts.maxTails ?? MAX_TAILS, parts.clock),
    followed: new Semaphore(parts.maxFollowedTraces ?? MAX_FOLLOWED_TRACES),
    description: once(() => openApiDocument(ROUTES, parts.version)),
    isLoopbackOnly: isLoopbackName(host),
    allowIdling: (request, mayIdle) => {
      owners.get(request)?.timeout(request, mayIdle ? 0 : IDLE_TIMEOUT_SECONDS);
    },
  };
  const counter = countByStatus();
  const serve = (port: number) => serveReaders({ context, counter, owners, host, port });
  // Waits and tails would lose what arrives meanwhile, so no connection is closed.
  const served = new ServedPort({ serve, port: wantedPort, mayBreakOff: false });
  return {
    port: served.port,
    relieve: () => served.relieve(),
    pause: () => served.pause(),
    resume: () => served.resume(),
    stop: () => served.stop(),
    abort: () => served.abort(),
    counts: () => countsOf(context, served.pendingRequests, counter.counts),
  };
}

/** Maps requests to the servers that received them. */
type Owners = WeakMap<Request, ReturnType<typeof Bun.serve>>;

interface ServeParts extends ListenAddress {
  readonly context: RouteContext;
  readonly counter: ReturnType<typeof countByStatus>;
  readonly owners: Owners;
}

function serveReaders({ context, counter, owners, host, port }: ServeParts) {
  const withRunId = (response: Response): Response => {
    response.headers.set(RUN_ID, context.runId);
    return response;
  };
  return Bun.serve({
    hostname: host,
    port,
    // Only for gRPC, so that its clients learn which port they need.
    http2: true,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    // Nothing reads a body, and Bun buffers only the beginning of a body that is not read. With a
    // limit, it would answer exporters itself, before they can learn which port they need.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // By default Bun decides by NODE_ENV, and may show source code in its error page.
    development: false,
    // By default, `development: false` shares the port with other such servers (Bun 1.4.5).
    reusePort: false,
    fetch: async (request, own) => {
      owners.set(request, own);
      const address = own.requestIP(request)?.address ?? "";
      return withRunId(counter.note(await answerRequest(context, request, address)));
    },
    error: (error) => withRunId(counter.note(answerFault(context.logger, error))),
  });
}

function countByStatus() {
  const statuses = ["200", ...PROBLEM_STATUSES];
  const counts: Record<string, number> = Object.fromEntries(statuses.map((each) => [each, 0]));
  const note = (response: Response): Response => {
    counts[response.status]! += 1;
    return response;
  };
  return { counts, note };
}

function countsOf(
  { waits, tails, budget }: RouteContext,
  requestsInFlight: number,
  requestsByStatus: Readonly<Record<string, number>>,
): ReadApiCounts {
  return {
    requestsInFlight,
    waits: waits.takenCount,
    tails: tails.takenCount,
    answerBytes: budget.heldBytes,
    requestsByStatus: { ...requestsByStatus },
  };
}
