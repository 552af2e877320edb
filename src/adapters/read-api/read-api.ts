import { PROCESS_PACE } from "../memory/collection-pace.ts";
import type { WatchedArrivals } from "../../application/arrivals/arrivals.ts";
import { Semaphore } from "../../application/waiting/semaphore.ts";
import type { ListenAddress } from "../../config/config.ts";
import { plainHost } from "../../domain/text/host-address.ts";
import type { SleepingClock, TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { once } from "../api-messages/message.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import type { ServerTls } from "../listening/server-tls.ts";
import { AnswerBudget, type SharedWithAnswers } from "./answer-budget.ts";
import { answerHttp2, answerRequest, takesBody } from "./answer-request.ts";
import { isLoopbackName } from "./browser-guard.ts";
import { allowIdling, type Connection, type Http1Request } from "./http1/connection.ts";
import { startHttp1Server } from "./http1/http1-server.ts";
import { refuseHttp2 } from "./http1/http2-refusal.ts";
import { answerFault, PROBLEM_STATUSES, problemResponse } from "./problem.ts";
import { openApiDocument } from "./openapi.ts";
import type { Readiness, RouteContext } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { MAX_TAILS } from "./tail-answer.ts";
import { TailPermits } from "./tail-permits.ts";
import { MAX_UPLOADS } from "./upload-answer.ts";
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
  readonly exporters: RouteContext["exporters"];
  readonly clock: SleepingClock & TimerClock;
  /** Shared with every other listener. */
  readonly turns: Pick<FairTurns, "hasTime" | "queue">;
  /** Undefined for a port without TLS. */
  readonly tls?: ServerTls | undefined;
  readonly uptimeMs: () => number;
  readonly version: string;
  readonly receivers: RouteContext["receivers"];
  /** What receives uploaded files; without it, uploads are refused. */
  readonly upload?: RouteContext["upload"];
  readonly forward?: RouteContext["forward"];
  readonly disk?: RouteContext["disk"];
  readonly metrics: RouteContext["metrics"];
  readonly logger: Logger;
  /** Checks the tokens of requests; without it, everyone may read. */
  readonly gate?: RouteContext["gate"];
  /** The budget of requests in flight, which share the memory of the process with answers. */
  readonly inFlight: SharedWithAnswers;
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
  /** Rejects if the server cannot listen; `code` is `EADDRINUSE` if the port is taken. */
  readonly listening: Promise<void>;
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

/** Starts the server. It accepts connections once `listening` has resolved. */
export function startReadApi(parts: ReadApiParts): ReadApi {
  const connections: Connections = new WeakMap();
  const context: RouteContext = {
    ...parts,
    budget: new AnswerBudget(parts.answerBudgetBytes ?? ANSWER_BUDGET_BYTES, parts.inFlight),
    waits: new Semaphore(parts.maxWaits ?? MAX_WAITS),
    tails: new TailPermits(parts.maxTails ?? MAX_TAILS, parts.clock),
    uploads: new Semaphore(MAX_UPLOADS),
    followed: new Semaphore(parts.maxFollowedTraces ?? MAX_FOLLOWED_TRACES),
    description: once(() => openApiDocument(ROUTES, parts.version)),
    isLoopbackOnly: isLoopbackName(plainHost(parts.address.host)),
    allowIdling: (request, mayIdle) => {
      const connection = connections.get(request);
      if (connection !== undefined) allowIdling(connection, mayIdle);
    },
  };
  const counter = countByStatus();
  const server = serveReaders(parts, { context, counter, connections });
  return {
    port: server.port,
    listening: server.listening,
    canHold: server.canHold,
    relieve: () => server.relieve(),
    hold: () => server.hold(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    stop: () => server.stop(),
    abort: async () => server.abort(),
    counts: () => countsOf(context, server.requestsInFlight, counter.counts),
  };
}

/** Maps requests to their connections. */
type Connections = WeakMap<object, Connection>;

interface ServeParts {
  readonly context: RouteContext;
  readonly counter: ReturnType<typeof countByStatus>;
  readonly connections: Connections;
}

function serveReaders(parts: ReadApiParts, { context, counter, connections }: ServeParts) {
  const { address: own, tls } = parts;
  const noted = (response: Response): Response => {
    response.headers.set(RUN_ID, context.runId);
    return counter.note(response);
  };
  const answer = async (request: Http1Request, connection: Connection): Promise<Response> => {
    connections.set(request, connection);
    try {
      return noted(await answerRequest(context, request, connection.address));
    } catch (error) {
      return noted(answerFault(context.logger, error));
    }
  };
  const http2 = refuseHttp2(
    (request, address) => noted(answerHttp2(context, request, address)),
    parts.clock,
  );
  const malformed = (detail: string) => noted(problemResponse({ status: 400, detail }));
  return startHttp1Server({
    address: own,
    tls,
    handshakeFailed: (problem, address) =>
      context.problems.note({ protocol: "api", address, ...problem }),
    answer,
    takesBody,
    malformed,
    clock: parts.clock,
    turns: parts.turns,
    received: (lengthBytes) => PROCESS_PACE.noteGarbage(lengthBytes),
    http2,
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
