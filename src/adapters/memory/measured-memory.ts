import type { Clock } from "../../ports/clock.ts";
import { residentBytes } from "./resident-bytes.ts";

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
  /** Returns undefined while it cannot be read. By default, the memory of this process. */
  readonly read?: () => number | undefined;
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
  private readonly read: () => number | undefined;
  private readonly boundBytes: number;
  private readonly unchargedBoundBytes: number;

  // Moved by `measure` and `resident`.
  private lastBytes = 0;
  /** What was not charged, in the last measurements. */
  private readonly uncharged: number[] = [];
  private excess = 0;
  private dueMs = 0;

  constructor({ growthBytes, budgetBytes, clock, read = residentBytes }: MeasuredMemoryParts) {
    this.clock = clock;
    this.read = read;
    this.boundBytes = this.resident() + growthBytes;
    this.unchargedBoundBytes = this.boundBytes - budgetBytes - RESERVE_BYTES;
  }

  excessBytes(chargedBytes: number): number {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.dueMs) this.measure(nowMs, chargedBytes);
    return this.excess;
  }

  roomBytes(): number {
    return this.boundBytes - this.resident() - FURTHER_GROWTH_BYTES;
  }

  private measure(nowMs: number, chargedBytes: number): void {
    this.dueMs = nowMs + INTERVAL_MS;
    this.uncharged.push(this.resident() - chargedBytes);
    if (this.uncharged.length > WINDOW) this.uncharged.shift();
    this.excess = Math.max(0, Math.min(...this.uncharged) - this.unchargedBoundBytes);
  }

  /** Returns the last measurement while the memory cannot be read. */
  private resident(): number {
    this.lastBytes = this.read() ?? this.lastBytes;
    return this.lastBytes;
  }
}
