/** Nanoseconds per millisecond, for times as bigint. OTLP has Unix nanoseconds, JavaScript ms. */
export const NANOS_PER_MS = 1_000_000n;

/** Nanoseconds per millisecond, for durations and times that may be rounded to a number. */
export const NANOS_PER_MS_NUMBER = 1e6;

/** Timers have 31 bits. This is 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Returns a delay that a timer takes as it is: not negative, not longer than timers can wait, and a
 * number. The runtime would take any other for 1 ms, and print a warning that is no JSON.
 */
export function timerMs(durationMs: number): number {
  return Math.min(Math.max(0, durationMs || 0), MAX_TIMER_MS);
}
