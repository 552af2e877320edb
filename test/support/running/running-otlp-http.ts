import { afterEach } from "bun:test";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import {
  type OtlpHttpListener,
  type OtlpHttpListenerParts,
  startOtlpHttpListener,
} from "../../../src/adapters/otlp-http/otlp-http-listener.ts";
import type { ProblemRegistry } from "../../../src/application/receiving/problem-registry.ts";
import type { LimitsConfig } from "../../../src/config/config.ts";
import { GrpcFakeReceiver } from "../fakes/grpc-fake-receiver.ts";
import { recordingProblems } from "../fakes/problem-totals.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { GRPC_TEST_LIMITS } from "./running-grpc-listener.ts";

export interface RunningOtlpHttp {
  readonly listener: OtlpHttpListener;
  readonly receiver: GrpcFakeReceiver;
  readonly logger: RecordingLogger;
  readonly problems: ProblemRegistry;
  readonly budget: InFlightBudget;
  /** Sends a POST to `/v1/traces`, as protobuf by default. */
  send(body: string | Uint8Array<ArrayBuffer>, options?: SendOptions): Promise<Response>;
  request(path: string, init?: RequestInit): Promise<Response>;
}

export interface SendOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PROTOBUF = { "Content-Type": "application/x-protobuf" };

interface Running {
  readonly listener: OtlpHttpListener;
  readonly problems: ProblemRegistry;
}

const running: Running[] = [];

type Parts = Partial<Omit<OtlpHttpListenerParts, "limits">> & { limits?: Partial<LimitsConfig> };

/**
 * Runs a listener on a free port of 127.0.0.1, which is stopped by force at the end of the test.
 */
export function runOtlpHttp(parts: Parts = {}): RunningOtlpHttp {
  const receiver = new GrpcFakeReceiver();
  const logger = new RecordingLogger();
  const problems = recordingProblems(logger);
  const limits = { ...GRPC_TEST_LIMITS, ...parts.limits };
  const clock = parts.clock ?? SYSTEM_CLOCK;
  const budget = new InFlightBudget({ capacityBytes: limits.inFlightBytes, clock });
  const listener = startOtlpHttpListener({
    address: { host: "127.0.0.1", port: 0 },
    receivers: { protobuf: receiver, json: receiver },
    maxBodyBytes: 20 * 1024 * 1024,
    corsOrigins: [],
    budget,
    turns: new FairTurns(clock),
    problems,
    clock,
    ...parts,
    limits,
  });
  running.push({ listener, problems });
  const request = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${listener.port}${path}`, init);
  return {
    listener,
    receiver,
    logger,
    problems,
    budget,
    request,
    send: (body, { path = "/v1/traces", method = "POST", headers } = {}) =>
      request(path, { method, body, headers: { ...PROTOBUF, ...headers } }),
  };
}

/** Must be called once in a test file that runs such listeners. */
export function stopOtlpHttpAfterEach(): void {
  afterEach(async () => {
    const ended = running.splice(0);
    await Promise.all(ended.map(({ listener }) => listener.stop(0)));
    for (const { problems } of ended) problems.close();
  });
}
