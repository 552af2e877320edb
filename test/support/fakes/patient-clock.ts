import { once } from "node:events";
import type { SleepingClock } from "../../../src/ports/clock.ts";

/** A clock on which no sleep is over before it is given up: so no machine is too slow. */
export const PATIENT_CLOCK: SleepingClock = {
  monotonicMs: () => performance.now(),
  sleep: async (_durationMs, signal) => {
    if (!signal.aborted) await once(signal, "abort");
  },
};
