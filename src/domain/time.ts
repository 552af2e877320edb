/** Nanoseconds per millisecond, for times as bigint. OTLP uses Unix nanoseconds, JavaScript ms. */
export const NANOS_PER_MS = 1_000_000n;

/** Nanoseconds per millisecond, for durations and times that may be rounded to a number. */
export const NANOS_PER_MS_NUMBER = 1e6;

/** The longest delay of a timer, which has 31 bits: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Returns a delay that a timer accepts: a number that is neither negative nor too large. The
 * runtime would use 1 ms instead, and print a warning that is not JSON.
 */
export function timerMs(durationMs: number): number {
  return Math.min(Math.max(0, durationMs || 0), MAX_TIMER_MS);
}
