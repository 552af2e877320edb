import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import { FairTurns } from "../adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../adapters/memory/in-flight-budget.ts";
import { MeasuredMemory } from "../adapters/memory/measured-memory.ts";
import type { GrpcListener } from "../adapters/otlp-grpc/grpc-listener.ts";
import type { OtlpHttpListener } from "../adapters/otlp-http/otlp-http-listener.ts";
import { ProtobufSpanCodec } from "../adapters/otlp/span-codec.ts";
import type { ReadApi } from "../adapters/read-api/read-api.ts";
import type { DirectoryDisk } from "../adapters/disk/directory-disk.ts";
import type { SpanLog } from "../application/log/span-log.ts";
import { DurableBuffer } from "../application/log/durable-buffer.ts";
import { Arrivals } from "../application/arrivals/arrivals.ts";
import type { Forwarder } from "../application/forwarding/forwarder.ts";
import { HighWater } from "../application/forwarding/high-water.ts";
import { countExporters, type ExporterCounts } from "../application/receiving/exporter-counts.ts";
import { CountedReceiver } from "../application/receiving/counted-receiver.ts";
import { ProblemRegistry } from "../application/receiving/problem-registry.ts";
import { ReceiveDurably } from "../application/receiving/receive-durably.ts";
import { type ReceiveParts, ReceiveTraces } from "../application/receiving/receive-traces.ts";
import { UnsupportedSignals } from "../application/receiving/unsupported-signals.ts";
import { LoggedBuffer } from "../application/ring/logged-buffer.ts";
import { ObservabilityBuffer } from "../application/ring/observability-buffer.ts";
import { LifeCycle } from "../application/shutdown/life-cycle.ts";
import type { Config } from "../config/config.ts";
import type { ListenerCertificates } from "./listener-tls.ts";
import type { ProblemProtocol } from "../domain/problem-reason.ts";
import type { ListenerPorts } from "../domain/problem-text.ts";
import { socketPathOf } from "../domain/text/host-address.ts";
import type { Logger } from "../ports/logger.ts";
import { neededBytes } from "./memory.ts";
import type { TokenGates } from "./tokens.ts";

export interface ServerInputs {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Whether nothing else runs in the process, so that its memory can be bounded. Default: no. */
  readonly ownsProcess?: boolean;
  /**
   * Returns the memory limit of the system; undefined if there is none. Default: the limit of the
   * cgroup.
   */
  readonly memoryLimitBytes?: () => number | undefined;
}

/** An open log, and what stops it. */
export interface OpenedLog {
  readonly log: SpanLog;
  readonly disk: DirectoryDisk;
  /** Ends the periodic syncs of level `process`. */
  readonly cancel: () => void;
}

/** Holds the parts that a start adds. None of them exists before its stage. */
export interface RunningParts {
  forwarder?: Forwarder;
  grpc?: GrpcListener;
  http?: OtlpHttpListener;
  api?: ReadApi;
  gates?: TokenGates;
  certificates?: ListenerCertificates;
  log?: OpenedLog;
  /** The ports in use, 0 for a Unix socket; `off` until a listener is listening. */
  readonly ports: Record<ProblemProtocol, number | "off">;
  /** The amount restored from the log of earlier runs. */
  restored: { readonly spans: number; readonly bytes: number };
  /** Whether a stop could neither send nor keep all spans. */
  hasLostSpans: boolean;
}

/** Holds the parts of a server, running or not. Only `running` changes. */
export interface ServerParts extends ServerInputs {
  readonly running: RunningParts;
  readonly life: LifeCycle;
  readonly ring: ObservabilityBuffer;
  /** Wraps `ring`; undefined if the spans are in memory only. */
  readonly durable: DurableBuffer | undefined;
  /** Wraps `durable` or `ring`. */
  readonly buffer: LoggedBuffer;
  /** Identifies this run, for which the sequences of the buffer are valid. */
  readonly runId: string;
  readonly arrivals: Arrivals;
  readonly receiver: ReceiveTraces | ReceiveDurably;
  /** Wraps `receiver`, and counts by protocol. */
  readonly receivers: Readonly<Record<"grpc" | "http/protobuf" | "http/json", CountedReceiver>>;
  readonly problems: ProblemRegistry;
  /** Returns what exporters have done since the start. */
  readonly exporters: () => ExporterCounts;
  /** Undefined if metrics and logs are rejected. */
  readonly unsupported: UnsupportedSignals | undefined;
  /** Shared by all listeners, because the limit covers all of them together. */
  readonly budget: InFlightBudget;
  /** Shared by all listeners, because they run in one event loop. */
  readonly turns: FairTurns;
  /** Undefined unless forwarding is enabled; without forwarding, a full ring is normal. */
  readonly highWater: HighWater | undefined;
  /** Aborted by a stop, which ends waits and tails. */
  readonly stopping: AbortController;
}

/** Builds the parts; nothing runs yet. */
export function buildParts(inputs: ServerInputs): ServerParts {
  const { config, logger } = inputs;
  const running: RunningParts = {
    ports: { api: "off", grpc: "off", http: "off" },
    restored: { spans: 0, bytes: 0 },
    hasLostSpans: false,
  };
  const ring = buildRing(inputs);
  const durable = buildDurable(inputs, ring);
  const buffer = new LoggedBuffer(durable ?? ring, logger);
  const arrivals = new Arrivals(buffer, capacityOf(config));
  const problems = buildProblems(inputs, running);
  const highWater =
    config.forward === "off"
      ? undefined
      : new HighWater({ percent: config.forward.highWaterPercent, buffer, logger });
  const receiver = buildReceiver(inputs, { arrivals, highWater, running, durable });
  const receivers = countedReceivers(receiver, problems);
  return {
    ...inputs,
    running,
    life: new LifeCycle(clock),
    ring,
    durable,
    buffer,
    runId: newRunId(),
    arrivals,
    receiver,
    receivers,
    problems,
    exporters: () => exportersOf({ receivers, problems, running }),
    unsupported: config.unsupportedSignals === "accept" ? new UnsupportedSignals() : undefined,
    budget: buildBudget(inputs),
    turns: new FairTurns(clock),
    highWater,
    stopping: new AbortController(),
  };
}

function buildBudget({ config, ownsProcess = false }: ServerInputs): InFlightBudget {
  const budgetBytes = config.limits.inFlightBytes;
  const growthBytes = neededBytes(config);
  return new InFlightBudget({
    capacityBytes: budgetBytes,
    largestRequestBytes: Math.max(config.maxBodyBytes, config.maxMessageBytes),
    clock,
    ...(ownsProcess && { memory: new MeasuredMemory({ growthBytes, budgetBytes, clock }) }),
  });
}

function buildProblems({ config, logger }: ServerInputs, running: RunningParts): ProblemRegistry {
  const ports = () => portsInUse(config, running);
  return new ProblemRegistry({ logger, clock, unixMs: Date.now, ports });
}

/** Returns the ports in use, and the Unix sockets instead of their ports. */
function portsInUse(config: Config, { ports }: RunningParts): ListenerPorts {
  const portOf = (listener: ProblemProtocol): ListenerPorts[ProblemProtocol] => {
    const [address, port] = [config[listener], ports[listener]];
    if (address === "off" || port === "off") return port;
    return socketPathOf(address.host) === undefined ? port : (address.host as `unix:${string}`);
  };
  return { grpc: portOf("grpc"), http: portOf("http"), api: portOf("api") };
}

/** Returns the capacity of the ring. */
export function capacityOf({ buffer: { maxSpans, maxBytes } }: Config): {
  readonly spans: number;
  readonly bytes: number;
} {
  return { spans: maxSpans, bytes: maxBytes };
}

function buildRing({ config }: ServerInputs): ObservabilityBuffer {
  // Spans that are also on disk can always leave the ring; the disk applies the policy.
  const overflowPolicy = isLoggedAtOnce(config) ? "drop_oldest" : config.buffer.overflowPolicy;
  const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
  return ObservabilityBuffer.create(capacityOf(config), options);
}

/** Reports whether requests are on disk before they are in the ring. */
function isLoggedAtOnce({ log }: Config): boolean {
  return log !== "off" && log.durability !== "stop";
}

function buildDurable(
  { config }: ServerInputs,
  ring: ObservabilityBuffer,
): DurableBuffer | undefined {
  if (config.log === "off") return undefined;
  return new DurableBuffer({
    ring,
    maxRequestBytes: config.buffer.maxBytes,
    isWholeLog: isLoggedAtOnce(config),
  });
}

function buildReceiver(
  { config, logger }: ServerInputs,
  built: Pick<ServerParts, "arrivals" | "highWater" | "running" | "durable">,
): ServerParts["receiver"] {
  const { arrivals, highWater, running, durable } = built;
  const parts: ReceiveParts = {
    buffer: arrivals,
    limits: config.limits,
    logger,
    clock,
    appended: highWater && (() => void highWater.sample()),
    roomAfterMs: (spanCount) => running.forwarder?.roomAfterMs(spanCount),
  };
  if (durable === undefined || !isLoggedAtOnce(config)) return new ReceiveTraces(parts);
  return new ReceiveDurably({ ...parts, log: (each) => durable.log(each), unixMs: Date.now });
}

function exportersOf({
  receivers,
  problems,
  running: { grpc },
}: Pick<ServerParts, "receivers" | "problems" | "running">): ExporterCounts {
  const grpcConnections = grpc?.counts().acceptedConnections ?? 0;
  return countExporters({ receivers, problems: problems.totals(), grpcConnections });
}

function countedReceivers(
  receiver: ServerParts["receiver"],
  problems: ProblemRegistry,
): ServerParts["receivers"] {
  const counted = (protocol: "grpc" | "http") => {
    const evicted = (count: number) =>
      problems.note({ protocol, reason: "evicted", address: "", count });
    return new CountedReceiver({ receiver, clock, evicted });
  };
  const [grpc, protobuf, json] = [counted("grpc"), counted("http"), counted("http")];
  return { grpc, "http/protobuf": protobuf, "http/json": json };
}

/**
 * Returns a random identifier, so that no two runs share one, even if the system clock is set back.
 */
function newRunId(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}
