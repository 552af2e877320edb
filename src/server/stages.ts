import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import { loadKafkaLater } from "../adapters/forward/open-kafka-sink.ts";
import { openSpanSink } from "../adapters/forward/open-sink.ts";
import { logLibraryThrough } from "../adapters/otlp-grpc/grpc-listener.ts";
import { Forwarder } from "../application/forwarding/forwarder.ts";
import { logLost } from "../application/shutdown/lost-spans.ts";
import { type StopPart, stopWithin } from "../application/shutdown/life-cycle.ts";
import type { ForwardConfig } from "../config/config.ts";
import { shownEndpoint } from "../config/endpoint.ts";
import { openLog } from "./durable-log.ts";
import { closeLog, withoutStoring } from "./store-at-stop.ts";
import { listen, listenFailure, type RunningListener, runningListeners } from "./listen.ts";
import { openCertificates } from "./listener-tls.ts";
import { capacityOf, type ServerParts } from "./parts.ts";
import { openTokenGates } from "./tokens.ts";
import {
  canOpenFiles,
  DESCRIPTOR_CHECK_MS,
  DescriptorGuard,
  type PausableListener,
} from "../adapters/listening/descriptor-guard.ts";

const TICK_MS = 1_000;

/**
 * Returns the stages in start order; the stop runs in reverse:
 *
 *     start ▼                                                          stop ▲
 *     problems          log refused requests from now on               write the last line
 *     high water        one sample a second                            no more samples
 *     log               open it, restore the ring from it              write what is left, sync it
 *     forwarding        prepare the sink                               send within the grace period
 *     tokens            read the files of tokens                       no longer watch them
 *     certificates      read the files of the listeners                no longer watch them
 *     listeners         read API, OTLP/gRPC, OTLP/HTTP                 finish requests in flight
 *     descriptors       pause listeners while none is left             leave them as they are
 *     receiving                                                        refuse new requests; send
 *                                                                      delayed refusals at once
 *     readers                                                          end waits and tails
 */
export function stagesOf(parts: ServerParts): readonly Stage[] {
  const { problems, receiver, running, stopping } = parts;
  return [
    { name: "problems", stop: async () => problems.close() },
    sampleHighWater(parts),
    keepLog(parts),
    reportLoss(parts),
    {
      name: "forwarding",
      start: () => prepareForwarding(parts),
      stop: async (graceMs) => await running.forwarder?.stop(withoutStoring(parts, graceMs)),
    },
    requireTokens(parts),
    readCertificates(parts),
    {
      name: "read API",
      start: () => listen(parts, "api"),
      stop: (graceMs) => stopReadApi(parts, graceMs),
    },
    {
      name: "OTLP/gRPC",
      start: () => listen(parts, "grpc"),
      stop: async (graceMs) => await running.grpc?.stop(graceMs),
    },
    {
      name: "OTLP/HTTP",
      start: () => listen(parts, "http"),
      stop: async (graceMs) => await running.http?.stop(graceMs),
    },
    guardDescriptors(parts),
    {
      name: "receiving",
      stop: async (graceMs) => {
        receiver.stop();
        running.gates?.close();
        running.forwarder?.drain(withoutStoring(parts, graceMs));
      },
    },
    { name: "readers", stop: async () => stopping.abort() },
  ];
}

function sampleHighWater({ highWater }: ServerParts): Stage {
  if (highWater === undefined) return { name: "high water" };
  let cancel: (() => void) | undefined;
  return {
    name: "high water",
    start: () => {
      cancel = clock.repeat(TICK_MS, () => highWater.tick());
      return true;
    },
    stop: async () => cancel?.(),
  };
}

/**
 * Keeps the log open. Its stop ignores the grace period, even when hurried, because the last spans
 * would be lost.
 */
function keepLog(parts: ServerParts): Stage {
  let closed: Promise<void> | undefined;
  return {
    name: "log",
    start: () => openLog(parts),
    stop: () => (closed ??= closeLog(parts)),
  };
}

/**
 * Logs the spans that a stop loses. Without forwarding, spans were buffered only for readers, and
 * remaining ones do not count as lost.
 */
function reportLoss({ buffer, config, logger, running }: ServerParts): Stage {
  if (config.log !== "off" || config.forward === "off") return { name: "loss" };
  let isReported = false;
  const report = async (): Promise<void> => {
    if (!isReported) running.hasLostSpans = logLost(buffer.services(), logger);
    isReported = true;
  };
  return { name: "loss", stop: report };
}

async function prepareForwarding(parts: ServerParts): Promise<boolean> {
  const { config, logger, version } = parts;
  if (config.forward === "off") return true;
  logLibraryThrough(logger, clock);
  const opening = await openSpanSink({
    forward: config.forward,
    version,
    nowMs: Date.now,
    clock,
    logger,
    loadKafka: () => loadKafkaLater(clock),
  });
  if (!opening.ok) {
    for (const mistake of opening.mistakes) logger.error("cannot_forward", { ...mistake });
    return false;
  }
  parts.running.forwarder = buildForwarder(parts, opening.sink, config.forward);
  return true;
}

/** Comes after all stages: the first batch to Kafka loads its client, which blocks the process. */
export function startDelivery({ config, logger, running }: ServerParts): void {
  if (config.forward === "off") return;
  running.forwarder?.start();
  logger.info("forwarding", { endpoint: shownEndpoint(config.forward.endpoint) });
}

function buildForwarder(
  { buffer, arrivals, config, logger }: ServerParts,
  sink: ConstructorParameters<typeof Forwarder>[0]["sink"],
  settings: ForwardConfig,
): Forwarder {
  const capacity = capacityOf(config);
  // A topic must be created by a person, who should learn at once that it is missing.
  const asksAtStart = settings.endpoint.protocol === "kafka";
  const times = { clock, unixMs: Date.now, random: Math.random };
  return new Forwarder({
    buffer,
    capacity,
    arrivals,
    sink,
    settings: { ...settings, asksAtStart },
    ...times,
    logger,
  });
}

function requireTokens(parts: ServerParts): Stage {
  const { running, logger } = parts;
  const start = async (): Promise<boolean> => {
    const gates = await openTokenGates(parts);
    if (!("mistakes" in gates)) running.gates = gates;
    else for (const mistake of gates.mistakes) logger.error("cannot_listen", { ...mistake });
    return !("mistakes" in gates);
  };
  return { name: "tokens", start, stop: async () => running.gates?.close() };
}

function readCertificates({ config, logger, running }: ServerParts): Stage {
  const start = async (): Promise<boolean> => {
    const opened = await openCertificates({ config, logger });
    if (!("mistakes" in opened)) running.certificates = opened;
    else for (const mistake of opened.mistakes) logger.error("cannot_listen", { ...mistake });
    return !("mistakes" in opened);
  };
  return { name: "certificates", start, stop: async () => running.certificates?.close() };
}

async function stopReadApi({ running: { api } }: ServerParts, graceMs: number): Promise<void> {
  if (api === undefined) return;
  await stopWithin(graceMs, { gently: () => api.stop(), byForce: () => api.abort() }, clock);
}

/** One step of a start, and its counterpart in the stop. */
export interface Stage {
  readonly name: string;
  /** Resolves to false if the server cannot start; the log has the reason. */
  readonly start?: () => boolean | Promise<boolean>;
  /** Absent if the stop has nothing to do. It is called only after a successful start. */
  readonly stop?: StopPart;
}

/**
 * Starts the stages in order and registers each for the stop. Resolves to whether all have started.
 */
export async function startStages(parts: ServerParts, stages: readonly Stage[]): Promise<boolean> {
  for (const { start, stop } of stages) {
    // oxlint-disable-next-line no-await-in-loop -- each stage depends on earlier ones
    if (start !== undefined && !(await start())) return false;
    if (stop !== undefined) parts.life.started(stop);
  }
  parts.life.ready();
  return true;
}

/** Pauses the listeners while the process has no file descriptors left. */
export function guardDescriptors(parts: ServerParts): Stage {
  let cancel: (() => void) | undefined;
  let ticked: Promise<void> = Promise.resolve();
  return {
    name: "descriptors",
    start: () => {
      const guard = buildGuard(parts);
      const tick = (): void => {
        const guarded = ticked.then(() => guard.tick());
        // An error in one check must not end all later ones.
        ticked = guarded.catch((error: unknown) =>
          parts.logger.error("unexpected_error", { error }),
        );
      };
      cancel = clock.repeat(DESCRIPTOR_CHECK_MS, tick);
      return true;
    },
    // A listener that is about to listen again must do so before it is stopped.
    stop: async () => {
      cancel?.();
      await ticked;
    },
  };
}

function buildGuard(parts: ServerParts): DescriptorGuard {
  const running = runningListeners(parts);
  const exhausted = (): void => {
    for (const { listener: protocol } of running) {
      parts.problems.note({ protocol, reason: "out_of_descriptors", address: "" });
    }
  };
  const listeners = running.map((each) => loggedListener(parts, each));
  return new DescriptorGuard({ listeners, canOpen: canOpenFiles, clock, exhausted });
}

function loggedListener({ logger }: ServerParts, running: RunningListener): PausableListener {
  const { listener, pausable } = running;
  return {
    get canHold() {
      return pausable.canHold;
    },
    relieve: () => pausable.relieve(),
    hold: () => {
      logger.warning("listening_paused", { listener, unused_connections: "kept" });
      pausable.hold();
    },
    pause: () => {
      logger.warning("listening_paused", { listener, unused_connections: "closed" });
      pausable.pause();
    },
    resume: async () => {
      try {
        await pausable.resume();
        logger.info("listening_resumed", { listener });
      } catch (error) {
        logger.error("cannot_listen", listenFailure(running, error));
        throw error;
      }
    },
  };
}
