import type { SleepingClock } from "../../../src/ports/clock.ts";
import { HandMovedClock } from "./hand-moved-clock.ts";

/** A clock on which every sleep is over at once, and moves it by as much. */
export class HandMovedSleep extends HandMovedClock implements SleepingClock {
  readonly sleptMs: number[] = [];

  sleep(durationMs: number): Promise<void> {
    this.sleptMs.push(durationMs);
    this.moveMs(durationMs);
    return Promise.resolve();
  }
}
