import { timerMs } from "../../domain/time.ts";

export type TimeLimitEnd = "time_up" | "cancelled";

export interface TimeLimit {
  /** Resolves when the time is up, or at once when it is cancelled. */
  readonly over: Promise<TimeLimitEnd>;
  /** The time has been up for as long again, at least a second: only what is owed is still done. */
  isLongOver(): boolean;
  /** To be called when nobody waits for it any more. */
  clear(): void;
}

const MIN_OVERTIME_MS = 1_000;

export function timeLimit(timeoutMs: number, cancelled: AbortSignal): TimeLimit {
  const { promise, resolve } = Promise.withResolvers<TimeLimitEnd>();
  const overtimeMs = Math.max(timeoutMs, MIN_OVERTIME_MS);
  let isLongOver = false;
  const beginOvertime = () => {
    resolve("time_up");
    timer = setTimeout(() => (isLongOver = true), timerMs(overtimeMs));
  };
  let timer = setTimeout(beginOvertime, timerMs(timeoutMs));
  const cancel = () => resolve("cancelled");
  cancelled.addEventListener("abort", cancel, { once: true });
  if (cancelled.aborted) cancel();
  const clear = () => {
    clearTimeout(timer);
    cancelled.removeEventListener("abort", cancel);
  };
  return { over: promise, isLongOver: () => isLongOver, clear };
}
