import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import { crc32, DirectoryDisk } from "../adapters/disk/directory-disk.ts";
import { DirectoryInUseError } from "../adapters/disk/directory-lock.ts";
import type { LogParts } from "../application/log/log-state.ts";
import { UnsupportedFormatError } from "../application/log/recover-log.ts";
import { segmentBytesFor } from "../application/log/retention.ts";
import { SpanLog } from "../application/log/span-log.ts";
import type { LogConfig } from "../config/config.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import { systemErrorText } from "../domain/text/system-error.ts";
import { logRecovery, logWatcher } from "./log-recovery.ts";
import { maxQueuedBytes } from "./memory.ts";
import type { OpenedLog, ServerParts } from "./parts.ts";

/**
 * Opens the log and restores the ring from it. Resolves to whether the server can start; if not,
 * the spans stay in the directory, and a log line says why.
 */
export async function openLog(parts: ServerParts): Promise<boolean> {
  const { config, durable, logger, running } = parts;
  if (config.log === "off" || durable === undefined) return true;
  const opened = await tryOpen(parts, config.log);
  if (opened === undefined) return false;
  const { log } = opened;
  logRecovery(logger, log.recovery);
  await durable.attach(log);
  const { spans, bytes, spilled } = durable.stats();
  running.restored = { spans: spans.buffered, bytes: bytes.buffered };
  logSpilled(parts, spilled?.spans ?? 0);
  parts.highWater?.sample();
  running.log = { ...opened, cancel: syncPeriodically(log, config.log) };
  return true;
}

async function tryOpen(
  parts: ServerParts,
  config: LogConfig,
): Promise<Omit<OpenedLog, "cancel"> | undefined> {
  const { logger } = parts;
  let disk: DirectoryDisk | undefined;
  try {
    disk = await DirectoryDisk.open(config.directory);
    return { disk, log: await SpanLog.open(logParts(parts, config, disk)) };
  } catch (error) {
    await disk?.close();
    const directory = quotePeerText(config.directory);
    logger.error("cannot_open_log", {
      directory,
      reason: openFaultText(error),
      hint: hintFor(error),
    });
    return undefined;
  }
}

/** Returns why a log cannot be opened, safe for a log line. */
export function openFaultText(error: unknown): string {
  if (error instanceof UnsupportedFormatError) return error.message;
  if (error instanceof DirectoryInUseError) return "another process uses it";
  return systemErrorText(error);
}

function hintFor(error: unknown): string {
  if (error instanceof UnsupportedFormatError) return "do not remove the files; they have spans";
  if (error instanceof DirectoryInUseError) return "stop it, or set DATA_DIR to another directory";
  return "set DATA_DIR to a directory in which this user may create files";
}

/** Returns what a log needs, to be opened or only to be read. */
export function logParts(parts: ServerParts, config: LogConfig, disk: DirectoryDisk): LogParts {
  const { durability, maxDiskBytes, diskFailure } = config;
  const { buffer } = parts.config;
  const sizes = { maxDiskBytes, segmentBytes: segmentBytesFor(maxDiskBytes) };
  const { overflowPolicy } = buffer;
  return {
    disk,
    checksum: crc32,
    clock,
    unixMs: Date.now,
    random: Math.random,
    runId: parts.runId.padStart(32, "0"),
    settings: {
      durability,
      ...sizes,
      overflowPolicy,
      diskFailure,
      maxQueuedBytes: maxQueuedBytes(buffer),
    },
    watcher: logWatcher({ logger: parts.logger, ...config, buffer: parts.durable }),
    memory: parts.durable?.memory,
  };
}

/** Logs that the log is larger than memory: readers see the newest spans only. */
function logSpilled({ logger, running }: ServerParts, on_disk_spans: number): void {
  if (on_disk_spans === 0) return;
  const { spans } = running.restored;
  const hint = "queries cover the newest spans; raise MAX_BUFFER_SIZE or MAX_BUFFER_BYTES for more";
  logger.info("larger_than_memory", { spans, on_disk_spans, hint });
}

function syncPeriodically(log: SpanLog, { durability, syncIntervalMs }: LogConfig): () => void {
  if (durability !== "process") return () => {};
  return clock.repeat(syncIntervalMs, () => void log.sync());
}
