/** Time that only moves forward, in milliseconds since some fixed instant. */
export interface Clock {
  monotonicMs(): number;
}

/** Time that can be waited for. */
export interface SleepingClock extends Clock {
  /** Resolves early, without an error, when the signal is aborted. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** Time at which something can be done. */
export interface TimerClock extends Clock {
  /**
   * Calls `action` once after the delay, and returns a function that cancels the call. A pending
   * call does not keep the process running.
   */
  schedule(delayMs: number, action: () => void): () => void;
  /**
   * Calls `action` once in each period, and returns a function that ends that. Keeps the process
   * running until then.
   */
  repeat(periodMs: number, action: () => void): () => void;
}
