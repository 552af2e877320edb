import type { Logger } from "../../ports/logger.ts";
import type { FillLevel } from "../../ports/trace-buffer.ts";

export interface HighWaterParts {
  readonly percent: number;
  readonly buffer: FillLevel;
  readonly logger: Logger;
}

/** How far the level must fall below the mark, in percentage points, to be calm. */
const MAX_MARGIN = 10;

/**
 * Number of calm ticks that end the warning. In a small ring, a batch may be half of the spans, so
 * each delivery takes the level far below the mark, and the next spans bring it back.
 */
const CALM_TICKS = 10;

/**
 * Watches whether the ring is so full that spans may soon be evicted. Logs once when the mark is
 * reached, and once when the level has fallen below it again.
 *
 *      mark ─ ─ ─ ╱╲ ─ ─ ╱╲ ─ ─ ─ ─ ─ ─ ─ ─ ─
 *       end ─ ─ ─╱─ ╲─ ─╱─ ╲─ ─ ─ ─ ─ ─ ─ ─ ─
 *               ╱    ╲_╱    ╲__________________
 *                ^reached    |<─ calm ──>|^over
 */
export class HighWater {
  // Fixed at construction.
  private readonly parts: HighWaterParts;
  private readonly endPercent: number;

  // Moved by `sample` and `tick`.
  isReached = false;
  /** The highest level since the last tick. Only appends raise it, and each of them is sampled. */
  private peakPercent = 0;
  private calmTicks = 0;

  constructor(parts: HighWaterParts) {
    this.parts = parts;
    // Above zero, so that an empty ring is always below it.
    this.endPercent = parts.percent - Math.min(MAX_MARGIN, parts.percent / 2);
  }

  /** Must be called after every append, before evictions are logged. */
  sample(): number {
    const usedPercent = 100 * this.parts.buffer.usedShare();
    this.peakPercent = Math.max(this.peakPercent, usedPercent);
    if (!this.isReached && usedPercent >= this.parts.percent) this.begin(usedPercent);
    return usedPercent;
  }

  /** Must be called about once a second. */
  tick(): void {
    const usedPercent = this.sample();
    this.calmTicks = this.peakPercent < this.endPercent ? this.calmTicks + 1 : 0;
    this.peakPercent = usedPercent;
    if (this.isReached && this.calmTicks >= CALM_TICKS) this.end(usedPercent);
  }

  private begin(usedPercent: number): void {
    this.isReached = true;
    const fields = { used_percent: shown(usedPercent), high_water_percent: this.parts.percent };
    this.parts.logger.warning("high_water", fields);
  }

  private end(usedPercent: number): void {
    this.isReached = false;
    this.parts.logger.info("high_water_ended", { used_percent: shown(usedPercent) });
  }
}

function shown(percent: number): number {
  return Math.round(percent * 10) / 10;
}
