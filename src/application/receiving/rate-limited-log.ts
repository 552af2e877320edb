import type { TimerClock } from "../../ports/clock.ts";
import type { LogFields } from "../../ports/logger.ts";

const LINE_INTERVAL_MS = 1000;

/**
 * Logs events that peers can cause at any rate: the first one at once, then at most one line per
 * second, with a count for each reason.
 *
 * Invariant: the number of events for a reason = its counts in all lines + its pending count here.
 */
export class RateLimitedLog {
  // Fixed at construction.
  private readonly clock: TimerClock;
  private readonly write: (fields: LogFields) => void;

  // Moved by `note` and the timer.
  private counts: Record<string, number> = {};
  private details: LogFields = {};
  private cancelPause: (() => void) | undefined;

  constructor(clock: TimerClock, write: (fields: LogFields) => void) {
    this.clock = clock;
    this.write = write;
  }

  /** Counts an event. A line has the `details` of the last event before it. */
  note(reason: string, details: LogFields = {}, times = 1): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + times;
    this.details = details;
    if (this.cancelPause === undefined) this.writeAndPause();
  }

  /** Writes the pending counts, and cancels the timer. */
  close(): void {
    this.cancelPause?.();
    this.cancelPause = undefined;
    if (Object.keys(this.counts).length > 0) this.writeLine();
  }

  private writeAndPause(): void {
    this.writeLine();
    this.cancelPause = this.clock.schedule(LINE_INTERVAL_MS, () => this.endPause());
  }

  private endPause(): void {
    this.cancelPause = undefined;
    if (Object.keys(this.counts).length > 0) this.writeAndPause();
  }

  private writeLine(): void {
    this.write({ ...this.counts, ...this.details });
    this.counts = {};
  }
}
