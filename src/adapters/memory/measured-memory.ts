import type { Clock } from "../../ports/clock.ts";

/** The interval of measurements: each takes about 5 microseconds. */
const INTERVAL_MS = 20;

/**
 * Budgets begin to shrink this far below the bound, because memory that they granted earlier is
 * still in use, and dropped requests remain as garbage for a while.
 */
const RESERVE_BYTES = 72 * 1024 * 1024;

/** The room that a single large response must leave for other growth. */
const FURTHER_GROWTH_BYTES = 24 * 1024 * 1024;

/** What the budgets of memory ask of it. */
export interface MemoryReading {
  /** Returns by how many bytes budgets should shrink; 0 if there is enough memory. */
  excessBytes(): number;
  /** Returns how much one response may take beyond the budgets; may be negative. */
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
