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

/**
 * With less left than this below the bound, free memory is returned to the system. That blocks for
 * 8 to 40 ms, so it is done for a quarter of the time at most.
 */
const LITTLE_LEFT_BYTES = 56 * MIB;
const MIN_RETURN_PAUSE_MS = 80;
const PAUSE_A_RETURN = 3;

/** With less left than this, the reserve grows with each measurement. */
const DANGER_LEFT_BYTES = 42 * MIB;
const RESERVE_GROWTH_BYTES = 8 * MIB;

/** The maximum is what the program may take for itself: `PROGRAM_BYTES` of `server/memory.ts`. */
const MIN_RESERVE_BYTES = 44 * MIB;
const MAX_RESERVE_BYTES = 100 * MIB;

/** The reserve shrinks from its maximum to its minimum in fourteen seconds. */
const RESERVE_SHRINK_BYTES_A_MS = (4 * MIB) / 1000;

/** What the budgets of memory ask of it. */
export interface MemoryReading {
  /**
   * Returns by how many bytes budgets should shrink, given what they have charged; 0 if there is
   * enough memory.
   */
  excessBytes(chargedBytes: number): number;
  /**
   * Returns how much one response may take beyond the budgets; negative once the process has grown
   * into the reserve.
   */
  roomBytes(): number;
}

/** Used where the process has no bound. */
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
  /** Returns memory to the system. It is `PROCESS_PACE` by default. */
  readonly pace?: Pick<CollectionPace, "returnFreeMemory">;
  /** Returns undefined while it cannot be read. By default, the memory of this process. */
  readonly read?: () => number | undefined;
}

/**
 * Tells how much must stay free below the bound, because budgets shrink only after the process has
 * grown.
 *
 * Ordinary load comes close to the bound for moments, and would lose requests to a large reserve.
 * Many kinds of attack at once keep the process there, and the more they are granted, the more
 * garbage and fragments they leave: they need a large reserve for as long as they last. So it grows
 * while little is left, and shrinks slowly, so that the process does not return to the bound at
 * once.
 */
class Reserve {
  // Moved by `grow` and `shrink`.
  bytes = MIN_RESERVE_BYTES;
  private shrunkMs = 0;

  grow(): void {
    this.bytes = Math.min(MAX_RESERVE_BYTES, this.bytes + RESERVE_GROWTH_BYTES);
  }

  shrink(nowMs: number): void {
    const lessBytes = (nowMs - this.shrunkMs) * RESERVE_SHRINK_BYTES_A_MS;
    this.bytes = Math.max(MIN_RESERVE_BYTES, this.bytes - lessBytes);
    this.shrunkMs = nowMs;
  }
}

/**
 * Compares the memory of the process with its bound: what it takes at the start, and `growthBytes`.
 *
 * Budgets count what peers make the process hold. They cannot count what has been freed and is
 * still resident, such as garbage before its collection and pages that the allocator keeps. Usually
 * there is enough room for that. When little is left, free memory is returned to the system. At the
 * same time, because that may not be enough, as under many kinds of attack at once, the reserve
 * grows, and budgets grant less:
 *
 *     excess = max(0, what is not charged - (bound - budget - reserve))
 *
 * Charged memory makes the reserve grow too. It must not count as excess: a large request beside a
 * large response would be refused because of itself.
 */
export class MeasuredMemory implements MemoryReading {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly pace: Pick<CollectionPace, "returnFreeMemory">;
  private readonly read: () => number | undefined;
  private readonly boundBytes: number;
  private readonly unchargedBoundBytes: number;
  private readonly reserve = new Reserve();

  // Moved by `measure`, the methods that it calls, and `resident`.
  private lastBytes = 0;
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
    this.reserve.shrink(this.clock.monotonicMs());
    return this.boundBytes - this.resident() - this.reserve.bytes;
  }

  private measure(nowMs: number, chargedBytes: number): void {
    this.dueMs = nowMs + INTERVAL_MS;
    this.reserve.shrink(nowMs);
    const bytes = this.read();
    if (bytes !== undefined) this.noteResident(bytes, nowMs);
    this.noteUncharged(this.lastBytes - chargedBytes);
  }

  private noteResident(bytes: number, nowMs: number): void {
    this.lastBytes = bytes;
    const leftBytes = this.boundBytes - bytes;
    if (leftBytes < DANGER_LEFT_BYTES) this.reserve.grow();
    if (leftBytes < LITTLE_LEFT_BYTES && nowMs >= this.returnDueMs) this.returnFree(nowMs);
  }

  private returnFree(beganMs: number): void {
    this.pace.returnFreeMemory();
    const endedMs = this.clock.monotonicMs();
    const pauseMs = Math.max(MIN_RETURN_PAUSE_MS, PAUSE_A_RETURN * (endedMs - beganMs));
    this.returnDueMs = endedMs + pauseMs;
  }

  private noteUncharged(bytes: number): void {
    this.uncharged.push(bytes);
    if (this.uncharged.length > WINDOW) this.uncharged.shift();
    const maxUnchargedBytes = this.unchargedBoundBytes - this.reserve.bytes;
    this.excess = Math.max(0, Math.min(...this.uncharged) - maxUnchargedBytes);
  }

  /** Returns the last measurement while the memory cannot be read. */
  private resident(): number {
    this.lastBytes = this.read() ?? this.lastBytes;
    return this.lastBytes;
  }
}
