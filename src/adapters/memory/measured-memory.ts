import type { Clock } from "../../ports/clock.ts";

/** The interval of measurements: each takes about 5 microseconds. */
const INTERVAL_MS = 20;

/**
 * The measurements of which the smallest counts, because freed memory stays resident for up to 50
 * ms.
 */
const WINDOW = 5;

/** Budgets begin to shrink this far below the bound, because what they granted is still in use. */
const RESERVE_BYTES = 52 * 1024 * 1024;

/** The room that a single large response must leave for other growth. */
const FURTHER_GROWTH_BYTES = 24 * 1024 * 1024;

/** What the budgets of memory ask of it. */
export interface MemoryReading {
  /**
   * Returns by how many bytes budgets should shrink, given what they have charged; 0 if there is
   * enough memory.
   */
  excessBytes(chargedBytes: number): number;
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
  /** How much of that budgets may charge. */
  readonly budgetBytes: number;
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
 * less, by as much as all that is not charged exceeds its part of the bound.
 */
export class MeasuredMemory implements MemoryReading {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly read: () => number;
  private readonly boundBytes: number;
  private readonly unchargedBoundBytes: number;

  // Moved by `measure` and `resident`.
  private lastBytes: number;
  /** What was not charged, in the last measurements. */
  private readonly uncharged: number[] = [];
  private dueMs = 0;

  constructor({ growthBytes, budgetBytes, clock, residentBytes }: MeasuredMemoryParts) {
    this.clock = clock;
    this.read = residentBytes ?? process.memoryUsage.rss;
    this.lastBytes = this.read();
    this.boundBytes = this.lastBytes + growthBytes;
    this.unchargedBoundBytes = this.boundBytes - budgetBytes - RESERVE_BYTES;
  }

  excessBytes(chargedBytes: number): number {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.dueMs) this.measure(nowMs, chargedBytes);
    return Math.max(0, Math.min(...this.uncharged) - this.unchargedBoundBytes);
  }

  roomBytes(): number {
    return this.boundBytes - this.resident() - FURTHER_GROWTH_BYTES;
  }

  private measure(nowMs: number, chargedBytes: number): void {
    this.dueMs = nowMs + INTERVAL_MS;
    this.uncharged.push(this.resident() - chargedBytes);
    if (this.uncharged.length > WINDOW) this.uncharged.shift();
  }

  /** Returns the last measurement while there is no descriptor to read a file of the system. */
  private resident(): number {
    try {
      return (this.lastBytes = this.read());
    } catch {
      return this.lastBytes;
    }
  }
}
