import type { DurableBuffer } from "../application/log/durable-buffer.ts";
import type { Durability, DiskFailurePolicy, LogWatcher } from "../application/log/log-state.ts";
import type { Damage, Recovery } from "../application/log/recover-log.ts";
import type { LogFields, Logger } from "../ports/logger.ts";

/** Maximum number of damaged places in the log lines of one start. */
const MAX_LINES = 20;

/** Logs what a start has found on the disk, and what it has lost. */
export function logRecovery(logger: Logger, recovery: Recovery): void {
  const { restored, segments, fileBytes, damage, torn, lostSpans, missingSegments } = recovery;
  if (segments === 0) return;
  const torn_bytes = torn.reduce((sum, { bytes }) => sum + bytes, 0);
  logger.info("recovered", { spans: restored.spans, segments, disk_bytes: fileBytes, torn_bytes });
  for (const each of damage.slice(0, MAX_LINES)) logger.error("log_damaged", fieldsOf(each));
  if (lostSpans > 0) {
    const hint = "these spans were acknowledged; check the disk, and what else writes to DATA_DIR";
    const damaged_places = damage.length;
    const missing_segments = missingSegments.length;
    logger.error("spans_lost", { spans: lostSpans, damaged_places, missing_segments, hint });
  }
  for (const segment of recovery.unsynced) {
    logger.error("sync_failed", { segment, hint: "a power cut may lose its spans" });
  }
}

export interface WatcherParts {
  readonly logger: Logger;
  readonly durability: Durability;
  readonly diskFailure: DiskFailurePolicy;
  readonly buffer: Pick<DurableBuffer, "evict" | "damaged"> | undefined;
}

/** Returns a watcher that logs what happens to the disk, and passes on which spans it has lost. */
export function logWatcher(parts: WatcherParts): LogWatcher {
  const { logger, buffer } = parts;
  const hint = `free space or replace the disk; until then, ${effectOfFailure(parts)}`;
  return {
    diskFailed: ({ reason, retryAfterMs }) => {
      logger.error("disk_failed", { reason, retry_after_ms: retryAfterMs, hint });
    },
    diskRecovered: ({ memoryOnlySpans: memory_only_spans }) => {
      logger.info("disk_recovered", memory_only_spans === 0 ? {} : { memory_only_spans });
    },
    syncFailed: ({ segment, reason }) => {
      logger.error("sync_failed", { segment, reason, hint: "a power cut may lose its spans" });
    },
    evicted: (evicted) => {
      logger.warning("disk_full", { evicted_spans: evicted.spans, hint: "raise MAX_DISK_BYTES" });
      buffer?.evict(evicted);
    },
    damaged: (damage) => {
      const { segment, lostSpans } = damage;
      logger.error("log_damaged", { segment, lost_spans: lostSpans });
      buffer?.damaged(damage);
    },
  };
}

function effectOfFailure({ durability, diskFailure }: WatcherParts): string {
  if (durability === "stop") return "a stop loses spans";
  if (diskFailure === "refuse") return "requests are refused";
  return "new spans are in memory only, and a crash or a stop loses them";
}

function fieldsOf({ segment, offsetBytes, bytes }: Damage): LogFields {
  return { segment, offset_bytes: offsetBytes, bytes };
}
