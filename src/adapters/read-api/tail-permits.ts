import { Semaphore } from "../../application/waiting/semaphore.ts";
import type { Clock } from "../../ports/clock.ts";

/** So long a reader may leave what there is before another may have its place. */
export const STALLED_MS = 60_000;

/** The place of one reader who follows. */
export interface TailPermit {
  /** There is something for the reader, which it has not taken yet. */
  gave(): void;
  took(): void;
  /** To be called once. */
  leave(): void;
}

/**
 * Bounds how many follow at a time. A reader may be as slow as it likes: the server sees nothing
 * of one that takes a few bytes now and then, until half of a socket's buffer is free again. But
 * when all places are taken, and another wants one, the reader that has stalled longest goes.
 */
export class TailPermits {
  // Fixed at construction.
  private readonly places: Semaphore;
  private readonly clock: Clock;

  // Moved by the places that are taken: since when each has left what there is, longest first.
  private readonly stalledSinceMs = new Map<() => void, number>();

  constructor(limit: number, clock: Clock) {
    this.places = new Semaphore(limit);
    this.clock = clock;
  }

  get limit(): number {
    return this.places.limit;
  }

  get takenCount(): number {
    return this.places.takenCount;
  }

  /** Undefined when there is none; `breakOff` has to leave the place before it returns. */
  take(breakOff: () => void): TailPermit | undefined {
    const giveBack = this.places.take() ?? this.takeFromStalled();
    return giveBack && this.placeOf(breakOff, giveBack);
  }

  private takeFromStalled(): (() => void) | undefined {
    const [longest] = this.stalledSinceMs;
    if (longest === undefined) return undefined;
    const [breakOff, sinceMs] = longest;
    if (this.clock.monotonicMs() - sinceMs >= STALLED_MS) breakOff();
    return this.places.take();
  }

  private placeOf(breakOff: () => void, giveBack: () => void): TailPermit {
    const { stalledSinceMs, clock } = this;
    const gave = () => void stalledSinceMs.set(breakOff, clock.monotonicMs());
    const took = () => void stalledSinceMs.delete(breakOff);
    return { gave, took, leave: () => (took(), giveBack()) };
  }
}
