import type { SleepingClock } from "../../../src/ports/clock.ts";
import { HandMovedClock } from "./hand-moved-clock.ts";

interface Sleeper {
  readonly endMs: number;
  readonly wake: () => void;
}

/** A clock that is moved by hand and wakes the sleepers whose time is up. */
export class DrivenClock extends HandMovedClock implements SleepingClock {
  private readonly sleepers = new Set<Sleeper>();

  /** Returns the rest of each sleep, shortest first. */
  get sleepsMs(): number[] {
    const left = Array.from(this.sleepers, ({ endMs }) => endMs - this.monotonicMs());
    return left.toSorted((one, other) => one - other);
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper = { endMs: this.monotonicMs() + durationMs, wake: resolve };
    this.sleepers.add(sleeper);
    const wakeEarly = () => this.wake(sleeper);
    signal.addEventListener("abort", wakeEarly);
    if (signal.aborted || durationMs <= 0) wakeEarly();
    return promise.finally(() => signal.removeEventListener("abort", wakeEarly));
  }

  override moveMs(durationMs: number): void {
    super.moveMs(durationMs);
    const due = [...this.sleepers].filter(({ endMs }) => endMs <= this.monotonicMs());
    for (const sleeper of due) this.wake(sleeper);
  }

  private wake(sleeper: Sleeper): void {
    this.sleepers.delete(sleeper);
    sleeper.wake();
  }
}
