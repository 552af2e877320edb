import type { SleepingClock } from "../../../src/ports/clock.ts";
import { HandMovedClock } from "./hand-moved-clock.ts";

/** A clock on which every sleep ends at once and advances the clock by its duration. */
export class HandMovedSleep extends HandMovedClock implements SleepingClock {
  readonly sleptMs: number[] = [];

  sleep(durationMs: number): Promise<void> {
    this.sleptMs.push(durationMs);
    this.moveMs(durationMs);
    return Promise.resolve();
  }
}
