/** A time that only moves forward, in milliseconds since some fixed instant. */
export interface Clock {
  monotonicMs(): number;
}

/** A clock that callers can sleep by. */
export interface SleepingClock extends Clock {
  /** Resolves after this time, or early, without an error, if the signal is aborted. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** A clock that can schedule actions. */
export interface TimerClock extends Clock {
  /**
   * Calls `action` once after the delay, and returns a function that cancels the call. A pending
   * call does not keep the process running.
   */
  schedule(delayMs: number, action: () => void): () => void;
  /** Like `schedule`, but a pending call keeps the process running. */
  timeout(delayMs: number, action: () => void): () => void;
  /**
   * Calls `action` once in each period, and returns a function that ends that. Keeps the process
   * running until then.
   */
  repeat(periodMs: number, action: () => void): () => void;
}
