import {
  bufferedSequences,
  findMissing,
  hasItsFiles,
} from "../application/shutdown/missing-spans.ts";
import { storeRing } from "../application/shutdown/store-ring.ts";
import { countSequences, type SequenceRange } from "../application/log/sequence-ranges.ts";
import type { LogConfig } from "../config/config.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import { systemErrorText } from "../domain/text/system-error.ts";
import { logParts } from "./durable-log.ts";
import { maxQueuedBytes } from "./memory.ts";
import type { OpenedLog, ServerParts } from "./parts.ts";

const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Closes the log, so that the next start finds every span that is left; at level `stop`, it writes
 * them first. The log says how many that start finds and how many it lacks.
 */
export async function closeLog(parts: ServerParts): Promise<void> {
  const { running, config } = parts;
  if (running.log === undefined || config.log === "off") return;
  const stop: LogStop = { parts, opened: running.log, config: config.log };
  const { log, cancel, disk } = stop.opened;
  cancel();
  try {
    const sequences = bufferedSequences(log, parts.ring);
    if (isStoredAtStop(parts))
      await storeRing({ log, buffer: parts.ring, batchBytes: batchBytes(parts) });
    const hint = hintForLost(stop, sequences);
    const closingFault = await log.close().then(() => undefined, systemErrorText);
    const { kept, lost, fault } = await leftOver(stop, sequences);
    if (lost > 0) reportLost(stop, lost, hint);
    reportKept(stop, kept, closingFault ?? fault);
  } finally {
    await disk.close();
  }
}

/** A log that is being closed. */
interface LogStop {
  readonly parts: ServerParts;
  readonly opened: OpenedLog;
  readonly config: LogConfig;
}

function batchBytes({ config }: ServerParts): number {
  return Math.min(MAX_BATCH_BYTES, maxQueuedBytes(config.buffer));
}

/**
 * How many spans the next start will find and will miss, and why a power cut could lose those it
 * would find.
 */
interface LeftOver {
  readonly kept: number;
  readonly lost: number;
  readonly fault: string | undefined;
}

/** The log is read only if it lacks spans according to its own counts, or lacks files. */
async function leftOver(
  { parts, opened, config }: LogStop,
  sequences: readonly SequenceRange[],
): Promise<LeftOver> {
  const { log, disk } = opened;
  const all = countSequences(sequences);
  const { buffered } = log.stats().spans;
  try {
    const isComplete = buffered >= all && (await hasItsFiles(log, disk));
    if (isComplete) return { kept: buffered, lost: 0, fault: undefined };
    const missing = await findMissing(logParts(parts, config, disk), sequences);
    const kept = all - missing.spans;
    const fault = missing.isUnsynced && kept > 0 ? "its files cannot be synced" : undefined;
    return { kept, lost: missing.spans, fault };
  } catch (error) {
    // What cannot be read now may be readable at the next start, unless it is gone.
    if (isGone(error)) return { kept: 0, lost: all, fault: undefined };
    return { kept: buffered, lost: all - buffered, fault: systemErrorText(error) };
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function reportLost(
  { parts: { running, logger }, config }: LogStop,
  spans: number,
  hint: string,
): void {
  running.hasLostSpans = true;
  logger.error("lost", { spans, directory: quotePeerText(config.directory), hint });
}

/** Returns what to do if spans turn out to be lost. */
function hintForLost(
  { opened: { log }, config }: LogStop,
  sequences: readonly SequenceRange[],
): string {
  const { failure, spans } = log.stats();
  if (spans.buffered >= countSequences(sequences)) return REMOVED_HINT;
  if (config.diskFailure === "memory") return MEMORY_HINT;
  const remedy = failure === undefined ? "raise MAX_DISK_BYTES" : "free space there";
  return `${remedy}, or set DATA_DIR to another directory`;
}

const REMOVED_HINT =
  "these spans were written; check the disk, and what else changes files in DATA_DIR";

const MEMORY_HINT =
  "spans that arrive while the disk fails are in memory only; " +
  "set DISK_FAILURE=refuse to refuse such spans";

function reportKept(
  { parts: { running, logger }, config }: LogStop,
  spans: number,
  reason: string | undefined,
): void {
  const directory = quotePeerText(config.directory);
  if (reason === undefined && spans > 0) logger.info("kept", { spans, directory });
  if (reason === undefined) return;
  running.hasLostSpans ||= config.durability === "stop";
  const hint = "a power cut may lose them; check the disk";
  logger.error("cannot_sync_log", { spans, reason, hint });
}

function isStoredAtStop({ config: { log } }: ServerParts): boolean {
  return log !== "off" && log.durability === "stop";
}

/** A low estimate of the speed of a disk. */
const BYTES_PER_MS = 100_000;
const SYNC_MS = 100;

/**
 * Returns the part of the grace period in which spans may be forwarded. Writing the remaining ones
 * gets the time that a slow disk needs for them, but at most half.
 */
export function withoutStoring(parts: ServerParts, graceMs: number): number {
  if (!isStoredAtStop(parts)) return graceMs;
  const storingMs = SYNC_MS + parts.buffer.usedBytes() / BYTES_PER_MS;
  return Math.max(0, graceMs - Math.min(graceMs / 2, storingMs));
}
