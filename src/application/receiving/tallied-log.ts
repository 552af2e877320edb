import type { LogFields } from "../../ports/logger.ts";

/** At most one line in this time, however often it happens. */
const LINE_INTERVAL_MS = 1000;

/**
 * Tells of what peers can make happen as often as they like: the first time at once, then what came
 * together in a second, in one line with a count for each reason.
 *
 * Invariant: the times noted of a reason = its counts in all lines + its count here.
 */
export class TalliedLog {
  // Fixed at construction.
  private readonly write: (fields: LogFields) => void;

  // Moved by `note` and the timer.
  private counts: Record<string, number> = {};
  private details: LogFields = {};
  private pause: NodeJS.Timeout | undefined;

  constructor(write: (fields: LogFields) => void) {
    this.write = write;
  }

  /** `details` are of one instance: the last before the line. */
  note(reason: string, details: LogFields = {}, times = 1): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + times;
    this.details = details;
    if (this.pause === undefined) this.tell();
  }

  /** Writes what is due, and needs no timer any more. */
  close(): void {
    clearTimeout(this.pause);
    this.pause = undefined;
    if (Object.keys(this.counts).length > 0) this.writeLine();
  }

  private tell(): void {
    this.writeLine();
    this.pause = setTimeout(() => this.endPause(), LINE_INTERVAL_MS);
    this.pause.unref();
  }

  private endPause(): void {
    this.pause = undefined;
    if (Object.keys(this.counts).length > 0) this.tell();
  }

  private writeLine(): void {
    this.write({ ...this.counts, ...this.details });
    this.counts = {};
  }
}
