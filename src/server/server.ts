import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import { listenFailure } from "./listen-failure.ts";
import { openSpanSink } from "../adapters/forward/open-sink.ts";
import { startGrpcListener } from "../adapters/otlp-grpc/grpc-listener.ts";
import { logLibraryThrough } from "../adapters/otlp-grpc/library-log.ts";
import type { ForwardReading } from "../adapters/read-api/forward-member.ts";
import { startReadApi } from "../adapters/read-api/read-api.ts";
import { cgroupMemoryLimit } from "../adapters/memory/cgroup-limit.ts";
import type { MetricSources } from "../adapters/metrics/metric-values.ts";
import { metricsPages } from "../adapters/metrics/metrics-page.ts";
import { processFigures } from "../adapters/metrics/process-figures.ts";
import { requireResolvable } from "../adapters/network/host-names.ts";
import { startOtlpHttpListener } from "../adapters/otlp-http/otlp-http-listener.ts";
import { logLeftovers } from "../adapters/spill/spill-leftovers.ts";
import type { Arrivals } from "../application/arrivals/arrivals.ts";
import { Forwarder } from "../application/forwarding/forwarder.ts";
import { canLeave, leaveRing } from "../application/shutdown/leave-ring.ts";
import { stopWithin } from "../application/shutdown/life-cycle.ts";
import type { LoggedBuffer } from "../application/ring/logged-buffer.ts";
import type { ProblemTotal } from "../application/receiving/problem-registry.ts";
import { restoreRing } from "../application/shutdown/restore-ring.ts";
import { shownEndpoint } from "../config/endpoint.ts";
import type { ForwardConfig, ListenAddress } from "../config/config.ts";
import type { ReloadableSink } from "../ports/span-sink.ts";
import { memoryWarnings } from "./memory.ts";
import { build, type House, type ServerParts } from "./house.ts";

/** A spanring in this process: all of it but the command line and the signals. */
export interface RunningServer {
  /** In use, also where the configuration asked for any; `off` where there is no listener. */
  readonly ports: Readonly<Record<ListenerName, number | "off">>;
  readonly buffer: LoggedBuffer;
  /** Identifies this run in the answers of the read API. */
  readonly runId: string;
  readonly arrivals: Arrivals;
  /** How often something was refused or discarded since the start. */
  readonly problems: () => readonly ProblemTotal[];
  /** Stops what was started, in the reverse order; what is in flight has the time to end. */
  stop(graceMs: number): Promise<void>;
  /** Reads the files of headers and certificates again, and logs what came of it. */
  reload(): Promise<void>;
  /** Nothing has any more time to end; what is left is kept, or told as lost, all the same. */
  hurry(): void;
}

/** Something cannot listen, forward, or be written; the log has said what and why. */
export class CannotStartError extends Error {
  override name = "CannotStartError";
}

const TICK_MS = 1_000;

/** Resolves when everything listens. Rejects with a `CannotStartError`, and nothing is left. */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const house = build(parts);
  // First to start, so last to stop: what goes wrong until then is told.
  house.life.started(async () => house.problems.close());
  startTicking(house);
  startKeeping(house);
  const ports = await startWork(house);
  if (ports === undefined) {
    await house.life.stop(0);
    throw new CannotStartError("the log says what cannot start, and why");
  }
  startReceiving(house);
  // Last started, so first to stop: nobody is left waiting for what cannot come any more.
  house.life.started(async () => house.stopping.abort());
  house.life.ready();
  warnOfMemory(parts);
  return { ports, ...runningServer(house) };
}

/** Last, because reading the limit takes a few milliseconds, and nothing waits for it. */
function warnOfMemory({ config, logger, memoryLimitBytes = cgroupMemoryLimit }: ServerParts): void {
  for (const warning of memoryWarnings(config, memoryLimitBytes())) {
    logger.warning("configuration", { ...warning });
  }
}

function runningServer(house: House): Omit<RunningServer, "ports"> {
  const { buffer, runId, arrivals, life } = house;
  const problems = () => house.problems.totals();
  const stop = (graceMs: number) => life.stop(graceMs);
  const reload = () => reloadFiles(house);
  return { buffer, runId, arrivals, problems, stop, reload, hurry: () => life.hurry() };
}

async function reloadFiles({ forwarder, logger }: House): Promise<void> {
  if ((await forwarder?.reload()) ?? true) return logger.info("reloaded");
  const mend =
    "mend what cannot_reload has named, and send SIGHUP again; the old contents are used";
  logger.warning("not_reloaded", { mend });
}

/** Undefined when something cannot start: then the log says what, and why. */
async function startWork(house: House): Promise<RunningServer["ports"] | undefined> {
  // Where it cannot keep or forward, what the stop before has left is not even touched.
  if (!(await canLeave(house)) || !(await startForwarding(house))) return undefined;
  await restore(house);
  return await startListening(house);
}

function startTicking({ highWater, life }: House): void {
  if (highWater === undefined) return;
  const timer = setInterval(() => highWater.tick(), TICK_MS);
  life.started(async () => clearInterval(timer));
}

/**
 * Before the listeners, so that it stops after them: what they have received is sent while they
 * stop. False when it cannot: then the log says why.
 */
async function startForwarding(house: House): Promise<boolean> {
  const { config, logger, version } = house;
  if (config.forward === "off") return true;
  logLibraryThrough(logger);
  const sinkParts = { forward: config.forward, version, nowMs: Date.now, clock, logger };
  const opening = await openSpanSink(sinkParts);
  if (!opening.ok) {
    for (const mistake of opening.mistakes) logger.error("cannot_forward", { ...mistake });
    return false;
  }
  forwardTo(house, opening.sink, config.forward);
  return true;
}

function forwardTo(house: House, sink: ReloadableSink, settings: ForwardConfig): void {
  const { buffer, arrivals, config, logger, life } = house;
  const capacity = { spans: config.buffer.maxSpans, bytes: config.buffer.maxBytes };
  const times = { clock, unixMs: Date.now, random: Math.random };
  const parts = { buffer, capacity, arrivals, sink, settings, ...times, logger };
  const forwarder = new Forwarder(parts);
  house.forwarder = forwarder;
  life.started((graceMs) => forwarder.stop(graceMs));
  forwarder.start();
  logger.info("forwarding", { endpoint: shownEndpoint(settings.endpoint) });
}

/**
 * Before all that puts in, takes or sends, so that it stops after them. It takes its time, also
 * when it is told to hurry: what is half written is lost.
 */
function startKeeping({ buffer, spill, config, logger, life }: House): void {
  const isForwarding = config.forward !== "off";
  let left: Promise<void> | undefined;
  life.started(() => (left ??= leaveRing({ buffer, spill, isForwarding, logger })));
}

/** Before anything listens, so that what was there before is the oldest. */
async function restore(house: House): Promise<void> {
  const { spill, buffer, receiver, config, logger } = house;
  if (spill === undefined) return;
  await logLeftovers(config.shutdownSpillFile, logger);
  const { maxSpans, maxBytes: bytes } = config.buffer;
  const mostAtOnce = { spans: Math.min(maxSpans, config.limits.spansPerRequest), bytes };
  const restored = await restoreRing({ spill, buffer, receiver, mostAtOnce, logger });
  Object.assign(house.restored, restored);
}

function listenForReaders(house: House, address: ListenAddress): number {
  const { buffer, runId, arrivals, problems, logger, version, life, listeners } = house;
  const stopping = house.stopping.signal;
  const startedMs = clock.monotonicMs();
  const uptimeMs = () => clock.monotonicMs() - startedMs;
  const readiness = () => life.state;
  const metrics = metricsPages(metricSources(house));
  const [forward, highWater] = [forwardReading(house), isAtHighWater(house)];
  const told = { readiness, highWater, uptimeMs, version, forward, metrics };
  const read = { buffer, runId, arrivals, problems, stopping, ...told };
  const api = startReadApi({ address, ...read, logger });
  listeners.api = api;
  life.started((graceMs) =>
    stopWithin(graceMs, { gently: () => api.stop(), byForce: () => api.abort() }),
  );
  return api.port;
}

function forwardReading({ config: { forward }, forwarder }: House): ForwardReading | undefined {
  if (forward === "off" || forwarder === undefined) return undefined;
  return { endpoint: shownEndpoint(forward.endpoint), status: () => forwarder.status() };
}

function isAtHighWater({ highWater }: House): () => boolean | undefined {
  return () => highWater?.isReached;
}

function metricSources(house: House): MetricSources {
  const { version, buffer, receivers, unkept, budget, listeners, forwarder, restored } = house;
  const problems = () => house.problems.totals();
  return {
    version,
    stats: () => buffer.stats(),
    usedBytes: () => buffer.usedBytes(),
    restored,
    highWater: isAtHighWater(house),
    receivers,
    unkept,
    problems,
    inFlightBytes: () => budget.heldBytes,
    grpc: () => listeners.grpc?.counts(),
    http: () => listeners.http?.counts(),
    api: () => listeners.api?.counts(),
    forward: () => forwarder?.status(),
    process: () => processFigures(),
  };
}

async function listenForGrpc(house: House, address: ListenAddress): Promise<number> {
  const { receivers, unkept, config, budget, problems, logger, life, listeners } = house;
  const { limits, maxMessageBytes } = config;
  const receiver = receivers.grpc;
  const received = { receiver, unkept, limits, maxMessageBytes, budget };
  const grpc = await startGrpcListener({ address, ...received, problems, logger });
  listeners.grpc = grpc;
  life.started((graceMs) => grpc.stop(graceMs));
  grpc.setServing(true);
  return grpc.port;
}

function listenForHttp(house: House, address: ListenAddress): number {
  const { unkept, config, budget, problems, life, listeners } = house;
  const { limits, maxBodyBytes, corsOrigins } = config;
  const receivers = {
    protobuf: house.receivers["http/protobuf"],
    json: house.receivers["http/json"],
  };
  const received = { receivers, unkept, limits, maxBodyBytes, corsOrigins, budget };
  const http = startOtlpHttpListener({ address, ...received, problems, clock });
  listeners.http = http;
  life.started((graceMs) => http.stop(graceMs));
  return http.port;
}

/** After the listeners, so that it is first to stop: from then on, exporters send elsewhere. */
function startReceiving({ receiver, unkept, forwarder, life }: House): void {
  life.started(async (graceMs) => {
    receiver.stop();
    unkept?.stop();
    forwarder?.drain(graceMs);
  });
}

/** What may listen, in the order of its start. */
const LISTENERS = [
  { listener: "api", portVariable: "API_PORT", listen: listenForReaders },
  { listener: "grpc", portVariable: "OTLP_GRPC_PORT", listen: listenForGrpc },
  { listener: "http", portVariable: "OTLP_HTTP_PORT", listen: listenForHttp },
] as const;

type ListenerName = (typeof LISTENERS)[number]["listener"];

/** The ports. Undefined when something cannot listen: then the log says what, and why. */
async function startListening(house: House): Promise<RunningServer["ports"] | undefined> {
  const { ports } = house;
  for (const { listener, portVariable, listen } of LISTENERS) {
    const address = house.config[listener];
    if (address === "off") continue;
    try {
      // oxlint-disable-next-line no-await-in-loop -- the order of the start is that of the stop
      await requireResolvable(address.host);
      // oxlint-disable-next-line no-await-in-loop -- likewise
      ports[listener] = await listen(house, address);
      house.logger.info("listening", { listener, host: address.host, port: ports[listener] });
    } catch (error) {
      const failed = { listener, address, portVariable };
      house.logger.error("cannot_listen", listenFailure(failed, error));
      return undefined;
    }
  }
  return ports;
}
