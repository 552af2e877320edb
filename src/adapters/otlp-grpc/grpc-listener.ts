import { Server, ServerCredentials } from "@grpc/grpc-js";
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
import { openFrontDoor } from "./front-door.ts";
import { HealthService, healthMethods } from "./health-service.ts";
import { logLibraryThrough } from "./library-log.ts";
import { type Dialogues, reflectionMethods, stopDialogues } from "./reflection-service.ts";
import { serverOptions } from "./server-options.ts";
import { watchStreams } from "./stream-watch.ts";
import { exportMethod } from "./trace-service.ts";
import { unsupportedMethods } from "./unsupported-services.ts";

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

export interface GrpcListenerCounts {
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
