export type TimeLimitEnd = "time_up" | "cancelled";

export interface TimeLimit {
  /** Resolves when the time is up, or at once when it is cancelled. */
  readonly over: Promise<TimeLimitEnd>;
  /** To be called when nobody waits for it any more. */
  clear(): void;
}

/** Timers have 31 bits; one with a longer time is over at once. This is 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function timeLimit(timeoutMs: number, cancelled: AbortSignal): TimeLimit {
  const { promise, resolve } = Promise.withResolvers<TimeLimitEnd>();
  const timer = setTimeout(() => resolve("time_up"), Math.min(timeoutMs, LONGEST_TIMER_MS));
  const cancel = () => resolve("cancelled");
  cancelled.addEventListener("abort", cancel, { once: true });
  if (cancelled.aborted) cancel();
  const clear = () => {
    clearTimeout(timer);
    cancelled.removeEventListener("abort", cancel);
  };
  return { over: promise, clear };
}
