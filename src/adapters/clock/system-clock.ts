import { setTimeout as sleep } from "node:timers/promises";
import { timerMs } from "../../domain/time.ts";
import type { SleepingClock, TimerClock } from "../../ports/clock.ts";

export const SYSTEM_CLOCK: SleepingClock & TimerClock = {
  monotonicMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    await sleep(timerMs(durationMs), undefined, { signal }).catch(() => {});
  },
  schedule: (delayMs, action) => {
    const timer = setTimeout(action, timerMs(delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
