import { Semaphore } from "../../application/waiting/semaphore.ts";
import type { Clock } from "../../ports/clock.ts";

/** The time for which a reader may leave data unread before another may get its permit. */
export const STALLED_MS = 60_000;

/** Allows one reader to follow, until it is disposed of. */
export interface TailPermit extends Disposable {
  /** Notes that the reader has data to read. */
  gave(): void;
  /** Notes that the reader has read the data. */
  took(): void;
}

/**
 * Bounds the number of concurrent readers that follow. Readers may be slow: the server cannot see
 * that one reads a few bytes now and then, until half of the socket's buffer is free. But if all
 * permits are taken and another reader connects, the reader that has stalled longest is
 * disconnected.
 */
export class TailPermits {
  // Fixed at construction.
  private readonly permits: Semaphore;
  private readonly clock: Clock;

  // Moved by the permits: since when each reader has left data unread, the longest first.
  private readonly stalledSinceMs = new Map<() => void, number>();

  constructor(limit: number, clock: Clock) {
    this.permits = new Semaphore(limit);
    this.clock = clock;
  }

  get limit(): number {
    return this.permits.limit;
  }

  get takenCount(): number {
    return this.permits.takenCount;
  }

  /** Returns undefined when all are taken. `breakOff` must dispose of the permit at once. */
  take(breakOff: () => void): TailPermit | undefined {
    const release = this.permits.take() ?? this.takeFromStalled();
    return release && this.watched(breakOff, release);
  }

  private takeFromStalled(): (() => void) | undefined {
    const [longest] = this.stalledSinceMs;
    if (longest === undefined) return undefined;
    const [breakOff, sinceMs] = longest;
    if (this.clock.monotonicMs() - sinceMs >= STALLED_MS) breakOff();
    return this.permits.take();
  }

  private watched(breakOff: () => void, release: () => void): TailPermit {
    const { stalledSinceMs, clock } = this;
    const gave = () => void stalledSinceMs.set(breakOff, clock.monotonicMs());
    const took = () => void stalledSinceMs.delete(breakOff);
    return { gave, took, [Symbol.dispose]: () => (took(), release()) };
  }
}
