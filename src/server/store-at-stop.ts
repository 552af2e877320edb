import { storeRing } from "../application/shutdown/store-ring.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import { maxQueuedBytes } from "./memory.ts";
import type { ServerParts } from "./parts.ts";

const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** At level `stop`, writes the remaining spans to the log, and logs how many do not fit. */
export async function storeAtStop(parts: ServerParts): Promise<void> {
  const { running, config, ring, logger } = parts;
  const { log: opened } = running;
  if (opened === undefined || !isStoredAtStop(parts) || config.log === "off") return;
  const { log } = opened;
  const batchBytes = Math.min(MAX_BATCH_BYTES, maxQueuedBytes(config.buffer));
  const spans = await storeRing({ log, buffer: ring, batchBytes });
  if (spans === 0) return;
  running.hasLostSpans = true;
  const { failure } = log.stats();
  const remedy = failure === undefined ? "raise MAX_DISK_BYTES" : "free space there";
  const hint = `${remedy}, or set DATA_DIR to another directory`;
  logger.error("lost", { spans, directory: quotePeerText(config.log.directory), hint });
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
