import { afterEach } from "bun:test";
import type { Client, ClientOptions } from "@grpc/grpc-js";
import { startGrpcListener } from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import type {
  GrpcListener,
  GrpcListenerParts,
} from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import type { LimitsConfig } from "../../../src/config/config.ts";
import { openGrpcClient } from "../grpc/grpc-call.ts";
import { GrpcFakeReceiver } from "../fakes/grpc-fake-receiver.ts";
import { GrpcRawPeer } from "../grpc/grpc-raw-peer.ts";
import type { ProblemRegistry } from "../../../src/application/receiving/problem-registry.ts";
import { recordingProblems } from "../fakes/problem-totals.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";

export interface RunningGrpcListener {
  readonly listener: GrpcListener;
  readonly receiver: GrpcFakeReceiver;
  readonly logger: RecordingLogger;
  readonly problems: ProblemRegistry;
  /** Returns a new client with its own connection. */
  client(options?: ClientOptions): Client;
  peer(): GrpcRawPeer;
}

/** The default limits, but with times that no test reaches by accident. */
export const GRPC_TEST_LIMITS: LimitsConfig = {
  connections: 1000,
  connectionsPerAddress: 200,
  firstRequestMs: 60_000,
  requestMs: 60_000,
  idleMs: 300_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  connectionAgeMs: 1_800_000,
  streamsPerConnection: 100,
  spansPerRequest: 100_000,
  nestingDepth: 100,
  inFlightBytes: 64 * 1024 * 1024,
};

const ends: (() => unknown)[] = [];

/**
 * Runs a listener on a free port of 127.0.0.1, which ends with its clients at the end of the test.
 */
export async function runGrpcListener(
  parts: Partial<Omit<GrpcListenerParts, "limits">> & { limits?: Partial<LimitsConfig> } = {},
): Promise<RunningGrpcListener> {
  const receiver = new GrpcFakeReceiver();
  const logger = new RecordingLogger();
  const problems = recordingProblems(logger);
  const limits = { ...GRPC_TEST_LIMITS, ...parts.limits };
  const clock = { monotonicMs: () => performance.now() };
  const listener = await startGrpcListener({
    address: { host: "127.0.0.1", port: 0 },
    receiver,
    logger,
    problems,
    clock: SYSTEM_CLOCK,
    maxMessageBytes: 4 * 1024 * 1024,
    budget: new InFlightBudget({ capacityBytes: limits.inFlightBytes, clock }),
    turns: new FairTurns(clock),
    ...parts,
    limits,
  });
  ends.push(() => problems.close());
  ends.push(() => listener.stop(0));
  return {
    listener,
    receiver,
    logger,
    problems,
    client: (options) => ending(openGrpcClient(listener.port, options), (client) => client.close()),
    peer: () => ending(new GrpcRawPeer(listener.port), (peer) => peer.destroy()),
  };
}

function ending<T>(thing: T, end: (thing: T) => void): T {
  ends.push(() => end(thing));
  return thing;
}

/** Must be called once in a test file that runs listeners. Clients end before their listeners. */
export function stopGrpcListenersAfterEach(): void {
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
}
