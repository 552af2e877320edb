import { cgroupMemoryLimit } from "../adapters/memory/cgroup-limit.ts";
import type { Arrivals } from "../application/arrivals/arrivals.ts";
import type { ExporterCounts } from "../application/receiving/exporter-counts.ts";
import type { ProblemTotal } from "../application/receiving/problem-registry.ts";
import type { LoggedBuffer } from "../application/ring/logged-buffer.ts";
import type { ListenerName } from "./listen.ts";
import { forwardFileWarnings } from "./forward-file.ts";
import { checkCertificates } from "./listener-tls.ts";
import { memoryWarnings } from "./memory.ts";
import { buildParts, type ServerInputs, type ServerParts } from "./parts.ts";
import { stagesOf, startDelivery, startStages } from "./stages.ts";
import { checkTokens, exposureWarnings } from "./tokens.ts";

/** A running spanring in this process, without a command line or signals. */
export interface RunningServer {
  /**
   * The actual ports, even if the configuration asked for any free port; 0 for Unix sockets, and
   * `off` for disabled listeners.
   */
  readonly ports: Readonly<Record<ListenerName, number | "off">>;
  readonly buffer: LoggedBuffer;
  /** Identifies this run in responses of the read API. */
  readonly runId: string;
  readonly arrivals: Arrivals;
  /** Returns the counts of requests and spans refused or discarded since the start. */
  readonly problems: () => readonly ProblemTotal[];
  readonly exporters: () => ExporterCounts;
  /** Stops all stages in reverse order; they share the grace period. */
  stop(graceMs: number): Promise<void>;
  /** Reports whether a stop has lost spans; the log says how many. */
  hasLostSpans(): boolean;
  /** Reads the files of headers, certificates and tokens again, and logs the result. */
  reload(): Promise<void>;
  /** Ends the grace period of a stop. Remaining spans are still kept or logged as lost. */
  hurry(): void;
}

/** Thrown if the server cannot listen, forward or write. The log has the details. */
export class CannotStartError extends Error {
  override name = "CannotStartError";
}

/**
 * Starts a server. Resolves when all listeners are listening; rejects with a `CannotStartError`
 * after undoing the start.
 */
export async function startServer(inputs: ServerInputs): Promise<RunningServer> {
  const parts = buildParts(inputs);
  const { buffer, runId, arrivals, problems, exporters, life, running } = parts;
  if (!(await startStages(parts, stagesOf(parts)))) {
    await life.stop(0);
    throw new CannotStartError("the log says which part cannot start, and why");
  }
  await warn(inputs);
  startDelivery(parts);
  return {
    ports: running.ports,
    buffer,
    runId,
    arrivals,
    problems: () => problems.totals(),
    exporters,
    stop: (graceMs) => life.stop(graceMs),
    hasLostSpans: () => running.hasLostSpans,
    reload: () => reloadFiles(parts),
    hurry: () => life.hurry(),
  };
}

/** Comes last, because these checks take a few milliseconds and nothing waits for them. */
async function warn(inputs: ServerInputs): Promise<void> {
  const { config, logger, memoryLimitBytes = cgroupMemoryLimit } = inputs;
  const files = await forwardFileWarnings(config.forward);
  const { warnings: dates } = await checkCertificates(config);
  const { warnings: tokens } = await checkTokens(config);
  const access = [...dates, ...tokens, ...exposureWarnings(config)];
  for (const warning of [...access, ...files, ...memoryWarnings(config, memoryLimitBytes())]) {
    logger.warning("configuration", { ...warning });
  }
}

async function reloadFiles({ running, logger }: ServerParts): Promise<void> {
  const { forwarder, gates, certificates } = running;
  const reloads = [forwarder?.reload(), gates?.reload(), certificates?.reload()];
  const isEach = (await Promise.all(reloads)).every((isInUse) => isInUse ?? true);
  if (isEach) return logger.info("reloaded");
  const hint =
    "fix the files named by cannot_reload, and send SIGHUP again; the old contents stay in use";
  logger.warning("not_reloaded", { hint });
}
