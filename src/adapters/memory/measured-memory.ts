import type { Clock } from "../../ports/clock.ts";

/** The interval of measurements: each takes about 5 microseconds. */
const INTERVAL_MS = 20;

/**
 * The distance to the bound from which budgets grant less: what they have granted before is still
 * there, and dropped requests stay as garbage for a while.
 */
const RESERVE_BYTES = 72 * 1024 * 1024;

/** The growth for which a single large grant leaves room. */
const FURTHER_GROWTH_BYTES = 24 * 1024 * 1024;

/** What the budgets of memory ask of it. */
export interface MemoryReading {
  /** By how much budgets should grant less, at least 0. */
  excessBytes(): number;
  /** What may be granted at once, whatever the budgets hold. */
  roomBytes(): number;
}

/** Without a bound. */
export const UNMEASURED: MemoryReading = {
  excessBytes: () => 0,
  roomBytes: () => Number.POSITIVE_INFINITY,
};

export interface MeasuredMemoryParts {
  /** By how much the process may grow. */
  readonly growthBytes: number;
  readonly clock: Clock;
  /** By default, the resident memory of this process. */
  readonly residentBytes?: () => number;
}

/**
 * Compares the memory of the process with its bound: what it takes at the start, and `growthBytes`.
 *
 * Budgets count what peers make the process hold. They cannot count what has been freed and is
 * still resident, such as garbage before its collection and pages that the allocator keeps. Usually
 * there is enough room for that, but not under many kinds of attack at once. Budgets then grant
 * less, by the excess.
 */
export class MeasuredMemory implements MemoryReading {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly residentBytes: () => number;
  private readonly boundBytes: number;

  // Moved by `measure`.
  private lastBytes: number;
  private dueMs = 0;

  constructor({
    growthBytes,
    clock,
    residentBytes = process.memoryUsage.rss,
  }: MeasuredMemoryParts) {
    this.clock = clock;
    this.residentBytes = residentBytes;
    this.lastBytes = residentBytes();
    this.boundBytes = this.lastBytes + growthBytes;
  }

  excessBytes(): number {
    return Math.max(0, this.measured() + RESERVE_BYTES - this.boundBytes);
  }

  roomBytes(): number {
    return this.boundBytes - this.measured() - FURTHER_GROWTH_BYTES;
  }

  private measured(): number {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.dueMs) this.measure(nowMs);
    return this.lastBytes;
  }

  private measure(nowMs: number): void {
    this.dueMs = nowMs + INTERVAL_MS;
    this.lastBytes = this.residentBytes();
  }
}
