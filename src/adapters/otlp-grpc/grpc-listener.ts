import type { Duplex } from "node:stream";
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerOptions,
  setLogger,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { RateLimitedLog } from "../../application/receiving/rate-limited-log.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import { stopWithin } from "../../application/shutdown/life-cycle.ts";
import type { LimitsConfig, ListenAddress } from "../../config/config.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger, ProblemLog } from "../../ports/logger.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import type { TokenGate } from "../listening/token-gate.ts";
import type { ServerTls } from "../listening/server-tls.ts";
import { type CollectionPace, PROCESS_PACE } from "../memory/collection-pace.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { type Acceptor, startAcceptor } from "./acceptor.ts";
import { type BidirectionalStreams, registerMethods, type UnaryMethod } from "./call-handlers.ts";
import { routeCalls } from "./call-router.ts";
import { ConnectionTable } from "./connection-table.ts";
import { exportMethod, unsupportedMethods } from "./export-services.ts";
import { HealthService, healthMethods, watchMethod } from "./health-service.ts";
import { IdleConnections } from "./idle-connections.ts";
import { endReflection, reflectionMethods } from "./reflection-service.ts";
import { UnfinishedRequests } from "./unfinished-requests.ts";

export interface GrpcListenerParts {
  readonly address: ListenAddress;
  readonly receiver: TraceReceiver;
  /** The receiver of metrics and logs; without it, they get UNIMPLEMENTED. */
  readonly unsupported?: UnsupportedSignals | undefined;
  readonly limits: LimitsConfig;
  /** The limit of one request, before and after decompression. */
  readonly maxMessageBytes: number;
  /** Shared with every other listener. */
  readonly budget: InFlightBudget;
  /** Shared with every other listener. */
  readonly turns: FairTurns;
  readonly problems: ProblemLog;
  /** Checks the tokens of calls other than health checks; without it, everyone may call. */
  readonly gate?: TokenGate | undefined;
  readonly logger: Logger;
  readonly clock: TimerClock;
  /** Undefined for a port without TLS. */
  readonly tls?: ServerTls | undefined;
}

export interface GrpcListener extends PausableListener {
  /** The port in use, also when the configured port is 0. */
  readonly port: number;
  /** Sets the status that `grpc.health.v1.Health` reports; at first NOT_SERVING. */
  setServing(isServing: boolean): void;
  /**
   * Stops accepting connections, finishes the calls in progress, and closes what is still open
   * after `graceMs`. May be called again, for example with a shorter time; all calls resolve when
   * the listener has stopped.
   */
  stop(graceMs: number): Promise<void>;
  counts(): GrpcListenerCounts;
}

interface GrpcListenerCounts {
  readonly openConnections: number;
  /** The connections since the start. */
  readonly acceptedConnections: number;
  /** Bytes charged for messages in flight by all listeners that share the budget. */
  readonly heldBytes: number;
}

/**
 * Starts OTLP/gRPC, health and reflection on one port. Rejects when it cannot listen: the error's
 * `code` is `EADDRINUSE` when the port is taken.
 */
export async function startGrpcListener(parts: GrpcListenerParts): Promise<GrpcListener> {
  logLibraryThrough(parts.logger, parts.clock);
  const service = createService(parts);
  const injector = service.server.createConnectionInjector(ServerCredentials.createInsecure());
  const acceptor = await startAcceptor({
    address: parts.address,
    limits: parts.limits,
    connections: service.connections,
    budget: parts.budget,
    pace: service.pace,
    turns: parts.turns,
    // The session uses no more of a stream than a paced socket has.
    admit: (socket) => injector.injectConnection(socket as unknown as Duplex),
    problems: parts.problems,
    clock: parts.clock,
    tls: parts.tls,
  });
  const unfinished = new UnfinishedRequests(parts.limits, parts.clock);
  const idle = new IdleConnections(service.connections, parts.limits.idleMs, parts.clock);
  const unroute = routeCalls({
    ...service,
    maxMessageBytes: parts.maxMessageBytes,
    turnedAway: (outcome) => parts.receiver.turnedAway?.(outcome),
    problems: parts.problems,
    gate: parts.gate,
    unfinished,
  });
  const ending = { acceptor, unroute, timers: [unfinished, idle] };
  let stopped: Promise<void> | undefined;
  return {
    ...acceptor,
    setServing: (isServing) => service.health.setServing(isServing),
    stop: (graceMs) => {
      stopped ??= stopGently({ ...service, ...ending });
      return stopAllWithin(graceMs, service.connections, { stopped, clock: parts.clock });
    },
    counts: () => countsOf(service),
  };
}

/** The service behind the listening socket. */
interface GrpcService {
  readonly server: Server;
  readonly health: HealthService;
  readonly reflectionStreams: BidirectionalStreams;
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  readonly libraryPaths: ReadonlySet<string>;
}

/** Builds the service; nothing listens yet. */
function createService(parts: GrpcListenerParts): GrpcService {
  const { receiver, unsupported, limits, maxMessageBytes, budget, turns, problems } = parts;
  const connections = new ConnectionTable(limits);
  const pace = PROCESS_PACE;
  const health = new HealthService(limits.connections);
  const reflectionStreams: BidirectionalStreams = new Set();
  const failed = (error: unknown) =>
    problems.note({ protocol: "grpc", reason: "failed", address: "", error });
  const discarding = { nestingDepth: limits.nestingDepth, maxMessageBytes, pace, turns, problems };
  const server = new Server(serverOptions(limits, maxMessageBytes));
  const streaming = [watchMethod(health), ...reflectionMethods(reflectionStreams)];
  registerMethods(server, streaming);
  const methods = byPath([
    exportMethod({ receiver, maxMessageBytes, failed, pace, turns, problems }),
    ...(unsupported === undefined ? [] : unsupportedMethods({ ...discarding, unsupported })),
    ...healthMethods(health),
  ]);
  const libraryPaths = new Set(streaming.map(({ path }) => path));
  return { server, health, reflectionStreams, connections, budget, pace, methods, libraryPaths };
}

function byPath(methods: readonly UnaryMethod[]): ReadonlyMap<string, UnaryMethod> {
  return new Map(methods.map((method) => [method.path, method]));
}

function countsOf({ connections, budget }: GrpcService): GrpcListenerCounts {
  const { size: openConnections, acceptedCount: acceptedConnections } = connections;
  return { openConnections, acceptedConnections, heldBytes: budget.heldBytes };
}

interface RunningService extends GrpcService {
  readonly acceptor: Pick<Acceptor, "close">;
  readonly unroute: () => void;
  readonly timers: readonly Disposable[];
}

/** Resolves when the last connection has closed. */
async function stopGently(running: RunningService): Promise<void> {
  running.acceptor.close();
  running.health.stop();
  endReflection(running.reflectionStreams);
  running.server.tryShutdown(() => {});
  // grpc-js has not seen these connections yet, so it would not close them.
  for (const connection of running.connections) if (connection.isOpening) connection.close();
  await Promise.all([...running.connections].map(({ closed }) => closed));
  running.unroute();
  for (const timer of running.timers) timer[Symbol.dispose]();
}

async function stopAllWithin(
  graceMs: number,
  connections: ConnectionTable,
  { stopped, clock }: { readonly stopped: Promise<void>; readonly clock: TimerClock },
): Promise<void> {
  const part = {
    gently: () => stopped,
    // tryShutdown never ends while a call stays open, see
    // https://github.com/grpc/grpc-node/issues/1458, and forceShutdown of grpc-js 1.14.7 leaves it
    // open when channelz is off (`test/quirks/grpc-js.test.ts`): it looks for sessions where only
    // channelz puts them.
    byForce: async () => {
      for (const connection of connections) connection.close();
      await stopped;
    },
  };
  await stopWithin(graceMs, part, clock);
}

/** The time for open streams after a connection has reached its maximum age. */
const AGE_GRACE_MS = 30_000;

/** Returns our limits as grpc-js takes them: by default it limits the size of messages only. */
export function serverOptions(limits: LimitsConfig, maxMessageBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": limits.streamsPerConnection,
    "grpc.max_connection_age_ms": limits.connectionAgeMs,
    "grpc.max_connection_age_grace_ms": AGE_GRACE_MS,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Channelz keeps statistics of every call, for a service that spanring does not offer.
    "grpc.enable_channelz": 0,
  };
}

/**
 * Routes the log lines of grpc-js to our logger. grpc-js would write to the console, and its lines
 * are about peers: a header that it rejects is printed with its value. grpc-js has one logger for
 * the process, so the last call wins.
 */
export function logLibraryThrough(logger: Logger, clock: TimerClock): void {
  const lines = new RateLimitedLog(clock, (fields) => logger.warning("grpc_library", fields));
  const note = (...words: unknown[]) => lines.note("lines", { text: withoutValues(words) });
  setLogger({ error: note, info: note, debug: note });
  // Overrides GRPC_VERBOSITY: below ERROR, grpc-js writes the headers of every call.
  setLogVerbosity(logVerbosity.ERROR);
}

/** Returns the text before the first colon, because data from a peer may follow it. */
function withoutValues(words: readonly unknown[]): string {
  const [message = ""] = words.join(" ").split(":", 1);
  return quotePeerText(message);
}
