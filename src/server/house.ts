import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import type { GrpcListener } from "../adapters/otlp-grpc/grpc-listener.ts";
import type { ReadApi } from "../adapters/read-api/read-api.ts";
import { InFlightBudget } from "../adapters/memory/in-flight-budget.ts";
import type { OtlpHttpListener } from "../adapters/otlp-http/otlp-http-listener.ts";
import { ProtobufSpanCodec } from "../adapters/otlp/span-codec.ts";
import { SpillFile } from "../adapters/spill/spill-file.ts";
import { Arrivals } from "../application/arrivals/arrivals.ts";
import { CountedReceiver } from "../application/receiving/counted-receiver.ts";
import type { Forwarder } from "../application/forwarding/forwarder.ts";
import { HighWater } from "../application/forwarding/high-water.ts";
import { LifeCycle } from "../application/shutdown/life-cycle.ts";
import { LoggedBuffer } from "../application/ring/logged-buffer.ts";
import { ObservabilityBuffer } from "../application/ring/observability-buffer.ts";
import { ProblemRegistry } from "../application/receiving/problem-registry.ts";
import { ReceiveTraces } from "../application/receiving/receive-traces.ts";
import { UnkeptSignals } from "../application/receiving/unkept-signals.ts";
import type { Config } from "../config/config.ts";
import type { ProblemProtocol } from "../domain/problem-reason.ts";
import type { Logger } from "../ports/logger.ts";
import type { SpanSpill } from "../ports/span-spill.ts";

export interface ServerParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** What the system lets it have; undefined where it sets no limit. */
  readonly memoryLimitBytes?: () => number | undefined;
}

/** What a server is made of, whether it runs or not. */
export interface House extends ServerParts {
  readonly buffer: LoggedBuffer;
  /** Identifies this run, as long as the buffer's sequences mean the same spans. */
  readonly runId: string;
  readonly arrivals: Arrivals;
  readonly receiver: ReceiveTraces;
  /** The same by protocol, for the counts. */
  readonly receivers: Readonly<Record<"grpc" | "http/protobuf" | "http/json", CountedReceiver>>;
  /** Where everything tells what it refuses or discards. */
  readonly problems: ProblemRegistry;
  /** In use; `off` until something listens there. */
  readonly ports: Record<ProblemProtocol, number | "off">;
  /** There when something is to be forwarded. */
  forwarder?: Forwarder;
  /** Those that run, for the counts. */
  readonly listeners: { grpc?: GrpcListener; http?: OtlpHttpListener; api?: ReadApi };
  /** Not there when they are to be rejected. */
  readonly unkept: UnkeptSignals | undefined;
  /** One, whatever the listeners: what they hold together is what is bounded. */
  readonly budget: InFlightBudget;
  /** Not there when spans go nowhere: then a full ring is nothing to be told of. */
  readonly highWater: HighWater | undefined;
  /** Not there when a stop loses what is left. */
  readonly spill: SpanSpill | undefined;
  /** What the stop before had left, for the counts. */
  readonly restored: { spans: number; bytes: number };
  readonly life: LifeCycle;
  /** Ends what would last for ever otherwise. */
  readonly stopping: AbortController;
}

/** Builds the parts; nothing listens yet. */
export function build(parts: ServerParts): House {
  const { config, logger } = parts;
  const { maxSpans, maxBytes, overflowPolicy } = config.buffer;
  const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
  const ring = ObservabilityBuffer.create({ spans: maxSpans, bytes: maxBytes }, options);
  const buffer = new LoggedBuffer(ring, logger);
  const arrivals = new Arrivals(buffer, { spans: maxSpans, bytes: maxBytes });
  const { limits } = config;
  const ports: House["ports"] = { api: "off", grpc: "off", http: "off" };
  const problems = new ProblemRegistry({ logger, unixMs: Date.now, ports: () => ports });
  const roomAfterMs = (spanCount: number) => house.forwarder?.roomAfterMs(spanCount);
  const highWater = highWaterOf(config, buffer, logger);
  const appended = highWater && (() => void highWater.look());
  const told = { logger, clock, roomAfterMs, appended };
  const receiver = new ReceiveTraces({ buffer: arrivals, limits, ...told });
  const budget = new InFlightBudget({ capacityBytes: limits.inFlightBytes, clock });
  const unkept = config.unsupportedSignals === "accept" ? new UnkeptSignals(logger) : undefined;
  const life = new LifeCycle(clock);
  const stopping = new AbortController();
  const counted = (protocol: "grpc" | "http") => {
    const evicted = (count: number) =>
      problems.note({ protocol, reason: "evicted", address: "", count });
    return new CountedReceiver({ receiver, clock, evicted });
  };
  const overHttp = { "http/protobuf": counted("http"), "http/json": counted("http") };
  const receivers = { grpc: counted("grpc"), ...overHttp };
  const runId = newRunId();
  const received = { runId, arrivals, receiver, receivers, problems, ports, unkept, budget };
  const left = { highWater, spill: spillOf(config) };
  const counts = { listeners: {}, restored: { spans: 0, bytes: 0 } };
  const house: House = { ...parts, buffer, ...received, ...left, ...counts, life, stopping };
  return house;
}

/** Random, so that no two runs share one, whatever the clock says. */
function newRunId(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

function highWaterOf({ forward }: Config, buffer: LoggedBuffer, logger: Logger) {
  if (forward === "off") return undefined;
  return new HighWater({ percent: forward.highWaterPercent, buffer, logger });
}

function spillOf({ shutdownSpillFile: path }: Config): SpanSpill | undefined {
  return path === "" ? undefined : new SpillFile(path);
}
