import { RateLimitedLog } from "../../application/receiving/rate-limited-log.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";

/** The part of a process that reports what nobody has handled. */
export interface ReportingProcess {
  removeAllListeners(event: "warning"): unknown;
  on(
    event: "warning" | "uncaughtException" | "unhandledRejection",
    listener: (report: unknown) => void,
  ): unknown;
}

export interface UnforeseenEvents {
  /** Writes what is not written yet. */
  close(): void;
}

/**
 * Logs faults that nobody foresaw, and the runtime's own warnings, which would otherwise be plain
 * text between the lines. The program goes on: ending it would lose every span in the ring.
 */
export function logUnforeseen(
  process: ReportingProcess,
  logger: Logger,
  clock: TimerClock,
): UnforeseenEvents {
  // The first listener is the runtime's own, which prints.
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

/** Anything can be thrown; the logger escapes and cuts the text of errors. */
function asError(report: unknown): Error {
  return report instanceof Error ? report : new Error(String(report));
}
