/** Nanoseconds per millisecond, for times as bigint. OTLP has Unix nanoseconds, JavaScript ms. */
export const NANOS_PER_MS = 1_000_000n;

/** Nanoseconds per millisecond, for durations and times that may be rounded to a number. */
export const NANOS_PER_MS_NUMBER = 1e6;
