import { timerMs } from "../../domain/time.ts";
import type { SleepingClock, TimerClock } from "../../ports/clock.ts";

export const SYSTEM_CLOCK: SleepingClock & TimerClock = {
  monotonicMs: () => performance.now(),
  // The sleep of `node:timers/promises` makes an error for each sleep that a signal ends early,
  // which costs more than the rest of a wait.
  sleep: (durationMs, signal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, timerMs(durationMs));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
    return promise;
  },
  schedule: (delayMs, action) => {
    const timer = setTimeout(action, timerMs(delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
  timeout: (delayMs, action) => {
    const timer = setTimeout(action, timerMs(delayMs));
    return () => clearTimeout(timer);
  },
  // Not unref'ed: while all listeners are paused, nothing else may keep the process running, and
  // then Bun 1.4.5 uses a whole core to wait for a promise of the main module
  // (`test/quirks/bun-servers.test.ts`).
  repeat: (periodMs, action) => {
    const timer = setInterval(action, timerMs(periodMs));
    return () => clearInterval(timer);
  },
};
