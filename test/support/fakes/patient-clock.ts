import { once } from "node:events";
import type { SleepingClock, TimerClock } from "../../../src/ports/clock.ts";

/** A clock on which sleeps end only when cancelled, so no machine is too slow. */
export const PATIENT_CLOCK: SleepingClock & TimerClock = {
  monotonicMs: () => performance.now(),
  sleep: async (_durationMs, signal) => {
    if (!signal.aborted) await once(signal, "abort");
  },
  schedule: () => () => {},
  // Only the time limit of a stop that has no time is over.
  timeout: (delayMs, action) => {
    const immediate = delayMs <= 0 ? setImmediate(action) : undefined;
    return () => clearImmediate(immediate);
  },
  repeat: () => () => {},
};
