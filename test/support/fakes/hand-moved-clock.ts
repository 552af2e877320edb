import type { Clock } from "../../../src/ports/clock.ts";

/** A clock that stands still until it is moved. */
export class HandMovedClock implements Clock {
  // Not zero: a clock may begin anywhere.
  private nowMs = 123_456.75;

  monotonicMs(): number {
    return this.nowMs;
  }

  moveMs(durationMs: number): void {
    this.nowMs += durationMs;
  }
}
