import packageJson from "../package.json" with { type: "json" };
import { runCommandLine } from "./adapters/cli/command-line.ts";
import { EXIT_CODE } from "./adapters/cli/exit-code.ts";
import { listenFailure } from "./adapters/cli/listen-failure.ts";
import { stopSignal } from "./adapters/cli/stop-signal.ts";
import { openTextStream } from "./adapters/cli/text-stream.ts";
import { startGrpcListener } from "./adapters/grpc/grpc-listener.ts";
import { startReadApi } from "./adapters/http/read-api.ts";
import { InFlightBudget } from "./adapters/memory/in-flight-budget.ts";
import { LineWriter } from "./adapters/logging/line-writer.ts";
import { createLogger } from "./adapters/logging/pino-logger.ts";
import { startOtlpHttpListener } from "./adapters/otlp-http/otlp-http-listener.ts";
import { ProtobufSpanCodec } from "./adapters/otlp/span-codec.ts";
import { Arrivals } from "./application/arrivals.ts";
import { CAPACITY_LINE_INTERVAL_MS } from "./application/capacity-events.ts";
import { LifeCycle, stopWithin } from "./application/life-cycle.ts";
import { LoggedBuffer } from "./application/logged-buffer.ts";
import { ObservabilityBuffer } from "./application/observability-buffer.ts";
import { ReceiveTraces } from "./application/receive-traces.ts";
import { UnkeptSignals } from "./application/unkept-signals.ts";
import type { Config, ConfigWarning, ListenAddress } from "./config.ts";
import type { Clock } from "./ports/clock.ts";
import type { Logger } from "./ports/logger.ts";

const { version } = packageJson;
const STANDARD_ERROR = 2;
const LAST_LINES_MS = 500;
const clock: Clock = { monotonicMs: () => performance.now() };

interface Parts {
  readonly config: Config;
  readonly logger: Logger;
  readonly buffer: LoggedBuffer;
  readonly arrivals: Arrivals;
  readonly receiver: ReceiveTraces;
  /** Not there when they are to be rejected. */
  readonly unkept: UnkeptSignals | undefined;
  /** One, whatever the listeners: what they hold together is what is bounded. */
  readonly budget: InFlightBudget;
  readonly life: LifeCycle;
  /** Ends what would last for ever otherwise. */
  readonly stopping: AbortController;
}

/** Builds the parts; nothing listens yet. */
function build(config: Config, logger: Logger): Parts {
  const { maxSpans, maxBytes, overflowPolicy } = config.buffer;
  const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
  const ring = ObservabilityBuffer.create({ spans: maxSpans, bytes: maxBytes }, options);
  const buffer = new LoggedBuffer(ring, logger);
  const arrivals = new Arrivals(buffer, { spans: maxSpans, bytes: maxBytes });
  const { limits } = config;
  const receiver = new ReceiveTraces({ buffer: arrivals, limits, logger, clock });
  const budget = new InFlightBudget({ capacityBytes: limits.inFlightBytes, clock });
  const unkept = config.unsupportedSignals === "accept" ? new UnkeptSignals(logger) : undefined;
  const life = new LifeCycle(clock);
  const stopping = new AbortController();
  return { config, logger, buffer, arrivals, receiver, unkept, budget, life, stopping };
}

function startTicking({ receiver, life }: Parts): void {
  const timer = setInterval(() => receiver.tick(), CAPACITY_LINE_INTERVAL_MS);
  life.started(async () => clearInterval(timer));
}

function listenForReaders(parts: Parts, address: ListenAddress): number {
  const { buffer, arrivals, logger, life } = parts;
  const stopping = parts.stopping.signal;
  const startedMs = clock.monotonicMs();
  const uptimeMs = () => clock.monotonicMs() - startedMs;
  const readiness = () => life.state;
  const read = { buffer, arrivals, stopping, readiness, uptimeMs, version };
  const api = startReadApi({ address, ...read, logger });
  life.started((graceMs) =>
    stopWithin(graceMs, { gently: () => api.stop(), byForce: () => api.abort() }),
  );
  return api.port;
}

async function listenForGrpc(parts: Parts, address: ListenAddress): Promise<number> {
  const { receiver, unkept, config, budget, logger, life } = parts;
  const { limits, maxMessageBytes } = config;
  const grpcParts = { address, receiver, unkept, limits, maxMessageBytes, budget, logger };
  const grpc = await startGrpcListener(grpcParts);
  life.started((graceMs) => grpc.stop(graceMs));
  grpc.setServing(true);
  return grpc.port;
}

function listenForHttp(parts: Parts, address: ListenAddress): number {
  const { receiver, unkept, config, budget, logger, life } = parts;
  const { limits, maxBodyBytes, corsOrigins } = config;
  const received = { receiver, unkept, limits, maxBodyBytes, corsOrigins, budget };
  const http = startOtlpHttpListener({ address, ...received, logger, clock });
  life.started((graceMs) => http.stop(graceMs));
  return http.port;
}

/** After the listeners, so that it is first to stop: from then on, exporters send elsewhere. */
function startReceiving({ receiver, unkept, life }: Parts): void {
  life.started(async () => {
    receiver.stop();
    unkept?.stop();
  });
}

/** What may listen, in the order of its start. */
const LISTENERS = [
  { listener: "api", portVariable: "API_PORT", listen: listenForReaders },
  { listener: "grpc", portVariable: "OTLP_GRPC_PORT", listen: listenForGrpc },
  { listener: "http", portVariable: "OTLP_HTTP_PORT", listen: listenForHttp },
] as const;

/** Whether everything listens. If not, the log says what does not, and why. */
async function startListening(parts: Parts): Promise<boolean> {
  for (const { listener, portVariable, listen } of LISTENERS) {
    const address = parts.config[listener];
    if (address === "off") continue;
    try {
      // oxlint-disable-next-line no-await-in-loop -- the order of the start is that of the stop
      const port = await listen(parts, address);
      parts.logger.info("listening", { listener, host: address.host, port });
    } catch (error) {
      const failed = { listener, address, portVariable };
      parts.logger.error("cannot_listen", listenFailure(failed, error));
      return false;
    }
  }
  return true;
}

async function serve(config: Config, warnings: readonly ConfigWarning[]): Promise<number> {
  const lines = new LineWriter(STANDARD_ERROR);
  const logger = createLogger(config.logLevel, lines);
  for (const warning of warnings) logger.warning("configuration", { ...warning });
  // What nobody foresaw is told, and the ring lives on: ending here would lose every span in it.
  process.on("uncaughtException", (error) => logger.error("unexpected_error", { error }));
  process.on("unhandledRejection", (error) => logger.error("unexpected_error", { error }));
  try {
    return await run(build(config, logger));
  } catch (error) {
    logger.error("cannot_run", { error });
    return EXIT_CODE.cannotRun;
  } finally {
    // Whoever reads the log may have paused for good.
    await stopWithin(LAST_LINES_MS, { gently: () => lines.flush(), byForce: async () => {} });
  }
}

async function run(parts: Parts): Promise<number> {
  const { config, logger } = parts;
  const stopped = stopSignal(process);
  startTicking(parts);
  if (!(await startListening(parts))) {
    await parts.life.stop(0);
    return EXIT_CODE.cannotRun;
  }
  startReceiving(parts);
  // Last started, so first to stop: nobody is left waiting for what cannot come any more.
  parts.life.started(async () => parts.stopping.abort());
  parts.life.ready();
  const {
    maxSpans: max_spans,
    maxBytes: max_bytes,
    overflowPolicy: overflow_policy,
  } = config.buffer;
  logger.info("ready", { version, max_spans, max_bytes, overflow_policy });
  logger.info("stopping", { signal: await stopped, grace_ms: config.shutdownGraceMs });
  await parts.life.stop(config.shutdownGraceMs);
  logger.info("stopped", { ...parts.buffer.stats() });
  return EXIT_CODE.ok;
}

process.exit(
  await runCommandLine({
    argv: process.argv.slice(2),
    env: process.env,
    version,
    stdout: openTextStream(1),
    stderr: openTextStream(2),
    stopped: () => stopSignal(process),
    serve,
  }),
);
