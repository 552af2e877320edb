import type { TimerClock } from "../../../src/ports/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** A clock that stands still until it is moved. */
export class HandMovedClock implements TimerClock {
  // Not zero, because a clock may start anywhere.
  private nowMs = 123_456.75;
  private readonly timers = new Set<Timer>();

  /** Returns the number of scheduled actions that have neither run nor been cancelled. */
  get pendingActions(): number {
    return this.timers.size;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  schedule(delayMs: number, action: () => void): () => void {
    const timer = { dueMs: this.nowMs + delayMs, action };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** A limit of no time ends in the next turn of the event loop. */
  timeout(delayMs: number, action: () => void): () => void {
    if (delayMs > 0) return this.schedule(delayMs, action);
    const immediate = setImmediate(action);
    return () => clearImmediate(immediate);
  }

  repeat(periodMs: number, action: () => void): () => void {
    let cancel: () => void;
    const scheduleNext = (): void => {
      cancel = this.schedule(periodMs, () => {
        scheduleNext();
        action();
      });
    };
    scheduleNext();
    return () => cancel();
  }

  /** Moves the clock, and runs the actions that become due, each at its time. */
  moveMs(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let timer = this.nextTimer(endMs); timer !== undefined; timer = this.nextTimer(endMs)) {
      this.nowMs = Math.max(this.nowMs, timer.dueMs);
      this.timers.delete(timer);
      timer.action();
    }
    this.nowMs = endMs;
  }

  private nextTimer(endMs: number): Timer | undefined {
    const due = [...this.timers].filter(({ dueMs }) => dueMs <= endMs);
    return due.toSorted((one, other) => one.dueMs - other.dueMs)[0];
  }
}
