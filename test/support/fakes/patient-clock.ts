import { once } from "node:events";
import type { SleepingClock, TimerClock } from "../../../src/ports/clock.ts";

/** A clock on which sleeps end only when cancelled, so no machine is too slow. */
export const PATIENT_CLOCK: SleepingClock & TimerClock = {
  monotonicMs: () => performance.now(),
  sleep: async (_durationMs, signal) => {
    if (!signal.aborted) await once(signal, "abort");
  },
  schedule: () => () => {},
  repeat: () => () => {},
};
