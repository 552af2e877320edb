import { RateLimitedLog } from "../../application/receiving/rate-limited-log.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";

/** The part of a process that reports unhandled errors and warnings. */
export interface ReportingProcess {
  removeAllListeners(event: "warning"): unknown;
  on(
    event: "warning" | "uncaughtException" | "unhandledRejection",
    listener: (report: unknown) => void,
  ): unknown;
}

export interface UnforeseenEvents {
  /** Logs the counts that are not logged yet. */
  close(): void;
}

/**
 * Logs unhandled errors, and the warnings of the runtime, which would otherwise be plain text
 * between the lines. The program continues, because ending it would lose every span in the ring.
 */
export function logUnforeseen(
  process: ReportingProcess,
  logger: Logger,
  clock: TimerClock,
): UnforeseenEvents {
  // The runtime's own listener, which prints, is the first one.
  process.removeAllListeners("warning");
  const warnings = new RateLimitedLog(clock, (fields) => logger.warning("runtime_warning", fields));
  const errors = new RateLimitedLog(clock, (fields) => logger.error("unexpected_error", fields));
  process.on("warning", (warning) => warnings.note("count", { warning: asError(warning) }));
  process.on("uncaughtException", (error) => errors.note("count", { error: asError(error) }));
  process.on("unhandledRejection", (error) => errors.note("count", { error: asError(error) }));
  return {
    close: () => {
      warnings.close();
      errors.close();
    },
  };
}

/** Returns an error for any thrown value; the logger escapes and cuts its text. */
function asError(report: unknown): Error {
  return report instanceof Error ? report : new Error(String(report));
}
