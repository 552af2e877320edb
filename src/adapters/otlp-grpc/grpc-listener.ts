import {
  Server,
  ServerCredentials,
  type ServerOptions,
  logVerbosity,
  setLogger,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { stopWithin } from "../../application/shutdown/life-cycle.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import type { LimitsConfig, ListenAddress } from "../../config/config.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { Logger } from "../../ports/logger.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { registerMethods } from "./call-handlers.ts";
import { ConnectionTable } from "./connection-table.ts";
import { openFrontDoor } from "./acceptor.ts";
import { HealthService, healthMethods } from "./health-service.ts";
import { type Dialogues, reflectionMethods, stopDialogues } from "./reflection-service.ts";
import { watchStreams } from "./stream-watch.ts";
import { exportMethod, unsupportedMethods } from "./export-services.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { TalliedLog } from "../../application/receiving/tallied-log.ts";

export interface GrpcListenerParts {
  readonly address: ListenAddress;
  readonly receiver: TraceReceiver;
  /** Without it, metrics and logs are UNIMPLEMENTED. */
  readonly unsupported?: UnsupportedSignals | undefined;
  readonly limits: LimitsConfig;
  /** Of one request, before and after decompression. */
  readonly maxMessageBytes: number;
  /** Shared with every other listener. */
  readonly budget: InFlightBudget;
  readonly problems: ProblemLog;
  readonly logger: Logger;
}

export interface GrpcListener extends PausableListener {
  /** The port in use, also where the address asked for any. */
  readonly port: number;
  /** What `grpc.health.v1.Health` says. At first: not serving. */
  setServing(isServing: boolean): void;
  /**
   * Takes no more connections, finishes the calls under way, and closes what is still open when the
   * time is up. To be called once or more: all calls wait for the same end,
   * and the least time is what there is.
   */
  stop(graceMs: number): Promise<void>;
  counts(): GrpcListenerCounts;
}

interface GrpcListenerCounts {
  readonly openConnections: number;
  /** Charged for messages in flight by all who share the budget. */
  readonly heldBytes: number;
}

/** OTLP/gRPC, health and reflection. Rejects when the port is taken: `code` is `EADDRINUSE`. */
export async function startGrpcListener(parts: GrpcListenerParts): Promise<GrpcListener> {
  logLibraryThrough(parts.logger);
  const house = build(parts);
  const injector = house.server.createConnectionInjector(ServerCredentials.createInsecure());
  const door = await openFrontDoor({
    address: parts.address,
    limits: parts.limits,
    connections: house.connections,
    admit: (socket) => injector.injectConnection(socket),
    problems: parts.problems,
  });
  const unwatch = watchStreams({
    ...house,
    maxMessageBytes: parts.maxMessageBytes,
    turnedAway: (outcome) => parts.receiver.turnedAway?.(outcome),
    problems: parts.problems,
  });
  const running = { ...house, door, unwatch };
  let stopped: Promise<void> | undefined;
  return {
    port: door.port,
    relieve: () => door.relieve(),
    pause: () => door.pause(),
    resume: () => door.resume(),
    setServing: (isServing) => house.health.setServing(isServing),
    stop: (graceMs) => endWithin(graceMs, running, (stopped ??= stopListener(running))),
    counts: () => countsOf(house),
  };
}

interface House {
  readonly server: Server;
  readonly health: HealthService;
  readonly dialogues: Dialogues;
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
}

/** Builds the parts; nothing listens yet. */
function build(parts: GrpcListenerParts): House {
  const { receiver, unsupported, limits, maxMessageBytes, budget, problems } = parts;
  const connections = new ConnectionTable(limits);
  const pace = new CollectionPace();
  const health = new HealthService(limits.connections);
  const dialogues: Dialogues = new Set();
  const failed = (error: unknown) =>
    problems.note({ protocol: "grpc", reason: "failed", address: "", error });
  const discarding = { nestingDepth: limits.nestingDepth, maxMessageBytes, pace, problems };
  const server = new Server(serverOptions(limits, maxMessageBytes));
  registerMethods(server, [
    exportMethod({ receiver, maxMessageBytes, failed, pace, problems }),
    ...(unsupported === undefined ? [] : unsupportedMethods({ ...discarding, unsupported })),
    ...healthMethods(health),
    ...reflectionMethods(dialogues),
  ]);
  return { server, health, dialogues, connections, budget, pace };
}

function countsOf({ connections, budget }: House): GrpcListenerCounts {
  return { openConnections: connections.size, heldBytes: budget.heldBytes };
}

interface RunningHouse extends House {
  readonly door: { close(): void };
  readonly unwatch: () => void;
}

/** Resolves when all that is under way has ended. */
async function stopListener(house: RunningHouse): Promise<void> {
  house.door.close();
  house.health.stop();
  stopDialogues(house.dialogues);
  house.server.tryShutdown(() => {});
  await Promise.all([...house.connections].map(({ closed }) => closed));
  house.unwatch();
}

async function endWithin(
  graceMs: number,
  { connections }: House,
  stopped: Promise<void>,
): Promise<void> {
  await stopWithin(graceMs, {
    gently: () => stopped,
    // tryShutdown waits for ever for a call that does not end, see
    // https://github.com/grpc/grpc-node/issues/1458, and grpc-js's own forceShutdown closes nothing
    // when channelz is off (1.14.7): it looks for sessions where only channelz puts them.
    byForce: async () => {
      for (const connection of connections) connection.close();
      await stopped;
    },
  });
}

/** For streams that are open when a connection has reached its age. */
const AGE_GRACE_MS = 30_000;

/** By default grpc-js has none of these limits except that of messages; 0 stands for "off" here. */
export function serverOptions(limits: LimitsConfig, maxMessageBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": limits.streamsPerConnection,
    "grpc.max_connection_idle_ms": limits.idleMs,
    "grpc.max_connection_age_ms": limits.connectionAgeMs,
    "grpc.max_connection_age_grace_ms": AGE_GRACE_MS,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Statistics of every call, for a service that we do not offer.
    "grpc.enable_channelz": 0,
  };
}

/**
 * grpc-js writes to the console, and what it writes are errors of peers: a header that it does not
 * like comes with its value. It has one logger a process; the one given last is used.
 */
export function logLibraryThrough(logger: Logger): void {
  const lines = new TalliedLog((fields) => logger.warning("grpc_library", fields));
  const note = (...words: unknown[]) => lines.note("lines", { text: withoutValues(words) });
  setLogger({ error: note, info: note, debug: note });
  // Whatever GRPC_VERBOSITY says: below ERROR it writes the headers of every call.
  setLogVerbosity(logVerbosity.ERROR);
}

/** What is told stands before the first colon, what a peer sent after it. */
function withoutValues(words: readonly unknown[]): string {
  const [told = ""] = words.join(" ").split(":", 1);
  return quotePeerText(told);
}
