/** Time that only moves forward, in milliseconds since some fixed instant. */
export interface Clock {
  monotonicMs(): number;
}

/** Time that can be waited for. */
export interface SleepingClock extends Clock {
  /** Resolves early, without an error, when the signal is given. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}
