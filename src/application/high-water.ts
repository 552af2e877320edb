import type { Logger } from "../ports/logger.ts";
import type { ObservabilityBuffer } from "./observability-buffer.ts";

export interface HighWaterParts {
  readonly percent: number;
  readonly buffer: Pick<ObservabilityBuffer, "stats" | "usedBytes">;
  readonly logger: Logger;
}

/** How far it must fall below the mark, in points, to be over: or it would be told each second. */
const MOST_MARGIN = 10;

/**
 * Whether the ring is so full that spans may soon have to make room for others: told once when the
 * mark is reached, and once when it is over.
 */
export class HighWater {
  // Fixed at construction.
  private readonly parts: HighWaterParts;
  private readonly endPercent: number;

  // Moved by `tick`.
  isReached = false;

  constructor(parts: HighWaterParts) {
    this.parts = parts;
    // Above zero, so that an empty ring is always below it.
    this.endPercent = parts.percent - Math.min(MOST_MARGIN, parts.percent / 2);
  }

  /** To be called about once a second. */
  tick(): void {
    const usedPercent = usedPercentOf(this.parts.buffer);
    if (!this.isReached && usedPercent >= this.parts.percent) this.begin(usedPercent);
    else if (this.isReached && usedPercent < this.endPercent) this.end(usedPercent);
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

/**
 * Of the slots or of the arena, whichever is fuller. Not what is buffered: that counts spans in
 * flight that have made room already.
 */
function usedPercentOf(buffer: HighWaterParts["buffer"]): number {
  const { sequence, capacity } = buffer.stats();
  const spans = (sequence.next - sequence.first) / capacity.spans;
  return 100 * Math.max(spans, buffer.usedBytes() / capacity.bytes);
}

function shown(percent: number): number {
  return Math.round(percent * 10) / 10;
}
