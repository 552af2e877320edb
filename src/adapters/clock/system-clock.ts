import { setTimeout as sleep } from "node:timers/promises";
import { timerMs } from "../../domain/time.ts";
import type { SleepingClock } from "../../ports/clock.ts";

export const SYSTEM_CLOCK: SleepingClock = {
  monotonicMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    await sleep(timerMs(durationMs), undefined, { signal }).catch(() => {});
  },
};
