import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import { openSpanSink } from "../adapters/forward/open-sink.ts";
import { logLibraryThrough } from "../adapters/otlp-grpc/grpc-listener.ts";
import { logLeftovers } from "../adapters/spill/spill-leftovers.ts";
import { Forwarder } from "../application/forwarding/forwarder.ts";
import { canSpill, spillRing } from "../application/shutdown/spill-ring.ts";
import { stopWithin } from "../application/shutdown/life-cycle.ts";
import { restoreRing } from "../application/shutdown/restore-ring.ts";
import type { ForwardConfig } from "../config/config.ts";
import { shownEndpoint } from "../config/endpoint.ts";
import { guardDescriptors } from "./descriptors.ts";
import { listen } from "./listen.ts";
import { capacityOf, type ServerParts } from "./parts.ts";
import type { Stage } from "./stage.ts";

const TICK_MS = 1_000;

/**
 * Lists the stages, in the order of the start; the stop runs in reverse:
 *
 *     start ▼                                                          stop ▲
 *     problems          what is refused from here on is logged         write the last line
 *     high water        one sample a second                            no more samples
 *     spill             the file can be written                        spill what is in the ring
 *     forwarding        the sink can be opened                         send within the grace period
 *     restore           what an earlier run has spilled is the oldest
 *     listeners         read API, OTLP/gRPC, OTLP/HTTP                 finish what is in flight
 *     descriptors       pause listeners while none is left             leave them as they are
 *     receiving                                                        refuse new requests
 *     readers                                                          end waits and tails
 *
 * Nothing touches an earlier run's spill before it is known that the file can be written again and
 * that forwarding can start.
 */
export function stagesOf(parts: ServerParts): readonly Stage[] {
  const { problems, receiver, unsupported, running, stopping } = parts;
  return [
    { name: "problems", stop: async () => problems.close() },
    sampleHighWater(parts),
    spillAtStop(parts),
    {
      name: "forwarding",
      start: () => startForwarding(parts),
      stop: async (graceMs) => await running.forwarder?.stop(graceMs),
    },
    { name: "restore", start: () => restore(parts) },
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
        unsupported?.stop();
        running.forwarder?.drain(graceMs);
      },
    },
    { name: "readers", stop: async () => stopping.abort() },
  ];
}

function sampleHighWater({ highWater }: ServerParts): Stage {
  if (highWater === undefined) return { name: "high water" };
  let timer: NodeJS.Timeout | undefined;
  return {
    name: "high water",
    start: () => {
      timer = setInterval(() => highWater.tick(), TICK_MS);
      return true;
    },
    stop: async () => clearInterval(timer),
  };
}

/** Its stop ignores the grace period, also when hurried: half a file would be lost. */
function spillAtStop({ buffer, spill, config, logger }: ServerParts): Stage {
  const isForwarding = config.forward !== "off";
  let left: Promise<void> | undefined;
  return {
    name: "spill",
    start: () => canSpill({ spill, logger }),
    stop: () => (left ??= spillRing({ buffer, spill, isForwarding, logger })),
  };
}

async function startForwarding(parts: ServerParts): Promise<boolean> {
  const { config, logger, version } = parts;
  if (config.forward === "off") return true;
  logLibraryThrough(logger, clock);
  const sinkParts = { forward: config.forward, version, nowMs: Date.now, clock, logger };
  const opening = await openSpanSink(sinkParts);
  if (!opening.ok) {
    for (const mistake of opening.mistakes) logger.error("cannot_forward", { ...mistake });
    return false;
  }
  const forwarder = buildForwarder(parts, opening.sink, config.forward);
  parts.running.forwarder = forwarder;
  forwarder.start();
  logger.info("forwarding", { endpoint: shownEndpoint(config.forward.endpoint) });
  return true;
}

function buildForwarder(
  { buffer, arrivals, config, logger }: ServerParts,
  sink: ConstructorParameters<typeof Forwarder>[0]["sink"],
  settings: ForwardConfig,
): Forwarder {
  const capacity = capacityOf(config);
  const times = { clock, unixMs: Date.now, random: Math.random };
  return new Forwarder({ buffer, capacity, arrivals, sink, settings, ...times, logger });
}

/** Runs before anything listens, so that the restored spans are the oldest. */
async function restore(parts: ServerParts): Promise<boolean> {
  const { spill, buffer, receiver, config, logger } = parts;
  if (spill === undefined) return true;
  await logLeftovers(config.shutdownSpillFile, logger);
  const { maxSpans, maxBytes: bytes } = config.buffer;
  const maxAtOnce = { spans: Math.min(maxSpans, config.limits.spansPerRequest), bytes };
  parts.running.restored = await restoreRing({ spill, buffer, receiver, maxAtOnce, logger });
  return true;
}

async function stopReadApi({ running: { api } }: ServerParts, graceMs: number): Promise<void> {
  if (api === undefined) return;
  await stopWithin(graceMs, { gently: () => api.stop(), byForce: () => api.abort() });
}
