import type { Clock } from "../../ports/clock.ts";
import { type CollectionPace, PROCESS_PACE } from "./collection-pace.ts";
import { residentBytes } from "./resident-bytes.ts";

/** The interval of measurements: each takes about 5 microseconds. */
const INTERVAL_MS = 20;

/**
 * The measurements of which the smallest counts, because freed memory stays resident for up to 50
 * ms.
 */
const WINDOW = 5;

const MIB = 1024 * 1024;

/** With less left than this, free memory is returned to the system, at most ten times a second. */
const LITTLE_LEFT_BYTES = 56 * MIB;
const RETURN_INTERVAL_MS = 100;

/** With less left than this, the reserve grows with each measurement. */
const DANGER_LEFT_BYTES = 42 * MIB;
const RESERVE_GROWTH_BYTES = 8 * MIB;

/** The reserve shrinks from the maximum to the minimum in seventeen seconds. */
const MIN_RESERVE_BYTES = 32 * MIB;
const MAX_RESERVE_BYTES = 100 * MIB;
const RESERVE_BYTES_A_MS = (4 * MIB) / 1000;

/** What the budgets of memory ask of it. */
export interface MemoryReading {
  /**
   * Returns by how many bytes budgets should shrink, given what they have charged; 0 if there is
   * enough memory.
   */
  excessBytes(chargedBytes: number): number;
  /** Returns how much one response may take beyond the budgets; negative in the reserve. */
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
  /** By default, that of this process. */
  readonly pace?: Pick<CollectionPace, "returnFreeMemory">;
  /** Returns undefined while it cannot be read. By default, the memory of this process. */
  readonly read?: () => number | undefined;
}

/**
 * What must stay free below the bound, because budgets shrink only after the process has grown.
 *
 * Ordinary load comes close to the bound for moments, and would lose requests to a large reserve.
 * Many kinds of attack at once keep the process there, and the more they are granted, the more
 * garbage and fragments they leave: they need a large reserve for as long as they last. So it grows
 * while little is left, and shrinks slowly, so that the process comes back to the bound as slowly.
 */
class Reserve {
  // Moved by `note`.
  bytes = MIN_RESERVE_BYTES;
  private notedMs = 0;

  note(leftBytes: number, nowMs: number): void {
    const grown = leftBytes < DANGER_LEFT_BYTES ? RESERVE_GROWTH_BYTES : 0;
    const shrunk = (nowMs - this.notedMs) * RESERVE_BYTES_A_MS;
    const bytes = Math.max(MIN_RESERVE_BYTES, this.bytes - shrunk) + grown;
    this.bytes = Math.min(MAX_RESERVE_BYTES, bytes);
    this.notedMs = nowMs;
  }
}

/**
 * Compares the memory of the process with its bound: what it takes at the start, and `growthBytes`.
 *
 * Budgets count what peers make the process hold. They cannot count what has been freed and is
 * still resident, such as garbage before its collection and pages that the allocator keeps. Usually
 * there is enough room for that. When little is left, free memory is returned to the system. If
 * that is not enough, as under many kinds of attack at once, budgets grant less, by as much as all
 * that is not charged exceeds its part of the bound, less the reserve.
 */
export class MeasuredMemory implements MemoryReading {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly pace: Pick<CollectionPace, "returnFreeMemory">;
  private readonly read: () => number | undefined;
  private readonly boundBytes: number;
  private readonly unchargedBoundBytes: number;

  // Moved by `measure` and the methods below it.
  private lastBytes = 0;
  private readonly reserve = new Reserve();
  /** What was not charged, in the last measurements. */
  private readonly uncharged: number[] = [];
  private excess = 0;
  private dueMs = 0;
  private returnDueMs = 0;

  constructor({
    growthBytes,
    budgetBytes,
    clock,
    pace = PROCESS_PACE,
    read = residentBytes,
  }: MeasuredMemoryParts) {
    this.clock = clock;
    this.pace = pace;
    this.read = read;
    this.boundBytes = this.resident() + growthBytes;
    this.unchargedBoundBytes = this.boundBytes - budgetBytes;
  }

  excessBytes(chargedBytes: number): number {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.dueMs) this.measure(nowMs, chargedBytes);
    return this.excess;
  }

  roomBytes(): number {
    return this.boundBytes - this.resident() - this.reserve.bytes;
  }

  private measure(nowMs: number, chargedBytes: number): void {
    this.dueMs = nowMs + INTERVAL_MS;
    const leftBytes = this.boundBytes - this.resident();
    this.reserve.note(leftBytes, nowMs);
    this.noteUncharged(this.lastBytes - chargedBytes);
    if (leftBytes < LITTLE_LEFT_BYTES && nowMs >= this.returnDueMs) this.returnFree(nowMs);
  }

  private noteUncharged(bytes: number): void {
    this.uncharged.push(bytes);
    if (this.uncharged.length > WINDOW) this.uncharged.shift();
    const mostBytes = this.unchargedBoundBytes - this.reserve.bytes;
    this.excess = Math.max(0, Math.min(...this.uncharged) - mostBytes);
  }

  private returnFree(nowMs: number): void {
    this.returnDueMs = nowMs + RETURN_INTERVAL_MS;
    this.pace.returnFreeMemory();
  }

  /** Returns the last measurement while the memory cannot be read. */
  private resident(): number {
    this.lastBytes = this.read() ?? this.lastBytes;
    return this.lastBytes;
  }
}
