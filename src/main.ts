import { constants } from "node:os";
import { isatty } from "node:tty";
import packageJson from "../package.json" with { type: "json" };
import { SYSTEM_CLOCK } from "./adapters/clock/system-clock.ts";
import { runCommandLine } from "./adapters/cli/command-line.ts";
import { CommandFailure, EXIT_CODE } from "./adapters/cli/output/exit-code.ts";
import {
  endInterruptedLine,
  endProcess,
  noteInterrupts,
} from "./adapters/cli/output/foreground.ts";
import type { Receiver } from "./adapters/cli/command/command-run.ts";
import { stopSignal } from "./adapters/cli/run-command.ts";
import {
  openMessageStream,
  openTextStream,
  releaseOutput,
} from "./adapters/cli/output/text-stream.ts";
import { type Announcement, announceServer } from "./adapters/cli/announce-server.ts";
import { GREETED_EVENTS, greetPerson, type GreetingStream } from "./adapters/cli/greet-person.ts";
import { openSpanSink, type SinkOpening } from "./adapters/forward/open-sink.ts";
import { openTopic } from "./adapters/forward/open-topic.ts";
import { SILENT_LOGGER } from "./adapters/logging/silent-logger.ts";
import { createTextLogger } from "./adapters/logging/text-logger.ts";
import { LineWriter, createLogger } from "./adapters/logging/pino-logger.ts";
import { logUnforeseen, type UnforeseenEvents } from "./adapters/logging/unforeseen-events.ts";
import {
  hasControllingTerminal,
  isImmediate,
  type ServeSignals,
  serveSignals,
  nativeSignals,
} from "./adapters/signals/serve-signals.ts";
import { StopWatchdog } from "./adapters/signals/stop-watchdog.ts";
import { openServiceManager } from "./adapters/systemd/service-manager.ts";
import { stopWithin } from "./application/shutdown/life-cycle.ts";
import type { Config, ConfigWarning, ForwardConfig } from "./config/config.ts";
import type { Logger } from "./ports/logger.ts";
import { checkStart } from "./server/check.ts";
import { inspectDirectory } from "./server/inspect-directory.ts";
import { overdueStop } from "./server/overdue-stop.ts";
import { CannotStartError, type RunningServer, startServer } from "./server/server.ts";

const { version } = packageJson;
const STANDARD_ERROR = 2;

/** A stop ends within half a second after its grace period, although nobody reads its log. */
const LAST_LINES_MS = 400;

const SIGNALS = noteInterrupts(process);

/** This process, for signals that may end it at once. */
const ENDING = {
  on: SIGNALS.on,
  exit: (code: number) => endProcess(process, code, SIGNALS),
};

/** What surrounds the server while it runs. */
interface Surroundings {
  readonly unforeseen: UnforeseenEvents;
  readonly greet: (server: RunningServer) => void;
  /** Announces the server to the program that has started it; the result withdraws that. */
  readonly announce: (server: RunningServer) => Promise<() => void>;
  /** Is told the cause of a stop before the log is. */
  readonly interrupted: (cause: string) => void;
}

async function serve(
  config: Config,
  warnings: readonly ConfigWarning[],
  announcement: Announcement,
): Promise<number> {
  return await withLogger(config, async (logger, lines) => {
    for (const warning of warnings) logger.warning("configuration", { ...warning });
    const unforeseen = logUnforeseen(process, logger, SYSTEM_CLOCK);
    try {
      const greet = (server: RunningServer): void => {
        if (isLogText(config)) greetPerson({ ...server, version, config }, streamOf(lines));
      };
      const output = { write: openTextStream(1).write, release: () => releaseOutput() };
      const announce = async ({ ports }: RunningServer) =>
        await announceServer({ config, ports }, announcement, output);
      const interrupted = (cause: string): void => {
        const code = cause === "SIGINT" ? EXIT_CODE.interrupted : undefined;
        if (isLogText(config)) endInterruptedLine(streamOf(lines), code);
      };
      const surroundings = { unforeseen, greet, announce, interrupted };
      return await serveUntilStopped(config, logger, surroundings);
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      if (!(error instanceof CannotStartError)) logger.error("cannot_run", { error });
      return EXIT_CODE.cannotRun;
    } finally {
      unforeseen.close();
    }
  });
}

async function withLogger<Result>(
  config: Config,
  use: (logger: Logger, lines: LineWriter) => Promise<Result>,
): Promise<Result> {
  const lines = new LineWriter(STANDARD_ERROR);
  try {
    return await use(loggerOf(config, lines), lines);
  } finally {
    // The reader of the log may have stopped reading.
    await stopWithin(
      LAST_LINES_MS,
      { gently: () => lines.flush(), byForce: async () => {} },
      SYSTEM_CLOCK,
    );
  }
}

/** Returns a logger in the form that the configuration selects. */
function loggerOf(config: Config, lines: LineWriter): Logger {
  if (!isLogText(config)) return createLogger(config.logLevel, lines);
  return createTextLogger(config.logLevel, lines, GREETED_EVENTS);
}

function streamOf(lines: LineWriter): GreetingStream {
  const write = (text: string): void => lines.write(text);
  return { write, isTerminal: isatty(STANDARD_ERROR), env: process.env };
}

function isLogText({ logFormat }: Config): boolean {
  return logFormat === "text" || (logFormat === "auto" && isatty(STANDARD_ERROR));
}

async function serveUntilStopped(
  config: Config,
  logger: Logger,
  { unforeseen, greet, announce, interrupted }: Surroundings,
): Promise<number> {
  const starting = Promise.withResolvers<RunningServer>();
  const manager = openServiceManager({ env: process.env, logger, clock: SYSTEM_CLOCK });
  const reload = (server: RunningServer) => manager.reload(() => server.reload());
  const signals = listenToSignals(config, () => void starting.promise.then(reload));
  const server = await startServer({ config, logger, version, ownsProcess: true });
  starting.resolve(server);
  const {
    maxSpans: max_spans,
    maxBytes: max_bytes,
    overflowPolicy: overflow_policy,
  } = config.buffer;
  const { runId: run_id } = server;
  logger.info("ready", { version, run_id, max_spans, max_bytes, overflow_policy });
  manager.ready(`ready, on ${portsText(server)}`);
  greet(server);
  const withdraw = await announce(server).catch(async (error: unknown) => {
    await server.stop(0);
    throw error;
  });
  const signal = await signals.stopped;
  withdraw();
  interrupted(signal);
  const graceMs = isImmediate(signal) ? 0 : config.shutdownGraceMs;
  const hint = graceMs === 0 ? {} : { hint: SECOND_HINT };
  logger.info("stopping", { signal, grace_ms: graceMs, ...hint });
  manager.stopping(`stopping, with a grace period of ${graceMs} ms`);
  const watchdog = watchStop(config, graceMs);
  void hurryOnSecondSignal({ server, watchdog, interrupted }, signals, logger);
  await server.stop(graceMs);
  manager.close();
  // These counts are the last line of the log.
  unforeseen.close();
  logger.info("stopped", { ...server.buffer.stats() });
  watchdog.end();
  return server.hasLostSpans() ? EXIT_CODE.lostSpans : EXIT_CODE.ok;
}

const SECOND_HINT = "a second signal ends the grace period";
const THIRD_HINT = "a third signal exits at once, and what is not sent or kept by then is lost";

/** Returns `api 4319, grpc 4317, http 4318`; a Unix socket has the port 0. */
function portsText({ ports }: RunningServer): string {
  return Object.entries(ports)
    .map(([listener, port]) => `${listener} ${port}`)
    .join(", ");
}

/** Handles signals. Under `nohup`, the program continues after its terminal closes. */
function listenToSignals({ stdinEnd }: Config, reload: () => void): ServeSignals {
  const { ignore } = nativeSignals();
  const hasNohup = ignore(constants.signals.SIGHUP);
  const hangupStops = hasControllingTerminal() && !hasNohup;
  // Unless its end counts, standard input is not even opened.
  const input = stdinEnd === "stop" ? process.stdin : undefined;
  return serveSignals(ENDING, { hangupStops, reload, ignore, input });
}

/** Has a stop watched from now on, if a blocked loop may end it. */
function watchStop(config: Config, graceMs: number): StopWatchdog {
  const watchdog = new StopWatchdog(SYSTEM_CLOCK);
  const overdue = overdueStop(config, graceMs);
  if (overdue !== undefined) watchdog.begin(overdue);
  return watchdog;
}

async function hurryOnSecondSignal(
  stopping: Pick<Surroundings, "interrupted"> & {
    readonly server: RunningServer;
    readonly watchdog: StopWatchdog;
  },
  { hurried }: ServeSignals,
  logger: Logger,
): Promise<void> {
  const signal = await hurried;
  if (stopping.watchdog.hasEnded) return;
  stopping.interrupted(signal);
  logger.warning("grace_ended", { signal, hint: THIRD_HINT });
  stopping.watchdog.hurry();
  stopping.server.hurry();
}

/** Starts a receiver for a command. It logs only warnings and errors. */
async function startReceiver(config: Config): Promise<Receiver> {
  const lines = new LineWriter(STANDARD_ERROR);
  const logger = loggerOf(config, lines);
  const server = await startServer({ config, logger, version, ownsProcess: true });
  const { ports, buffer, arrivals, problems, exporters } = server;
  const stop = () => server.stop(config.shutdownGraceMs);
  return { ports, buffer, arrivals, problems, exporters, stop };
}

/** Opens a sink for a command, which reports what happens itself. */
async function openSink(forward: ForwardConfig): Promise<SinkOpening> {
  const parts = { nowMs: Date.now, clock: SYSTEM_CLOCK, logger: SILENT_LOGGER };
  return await openSpanSink({ forward, version, ...parts });
}

endProcess(
  process,
  await runCommandLine({
    argv: process.argv.slice(2),
    env: process.env,
    version,
    stdout: openTextStream(1),
    stderr: openMessageStream(2),
    stopped: () => stopSignal(ENDING),
    signals: SIGNALS,
    checkStart: (config) => checkStart({ config, version }),
    serve,
    startReceiver,
    inspectDirectory,
    openSink,
    openTopic: (forward) => openTopic(forward, SYSTEM_CLOCK),
  }),
  SIGNALS,
);
