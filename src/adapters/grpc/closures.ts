import type { LogFields } from "../../ports/logger.ts";
import type { Refusal } from "./connection-table.ts";
import { TalliedLog } from "../../application/tallied-log.ts";

/**
 * Why we closed a connection: too many in all, too many from its address, no request within the
 * time for the first one, too many bytes of unfinished messages.
 */
export type ClosingReason = Refusal | "first_request" | "in_flight_bytes";

/** Connections that were closed because of a limit, counted and told of. */
export class Closures {
  // Fixed at construction.
  private readonly log: TalliedLog;

  // Moved by `note`.
  readonly counts: Record<ClosingReason, number> = {
    connections: 0,
    connections_per_address: 0,
    first_request: 0,
    in_flight_bytes: 0,
  };

  constructor(write: (fields: LogFields) => void) {
    this.log = new TalliedLog(write);
  }

  note(reason: ClosingReason): void {
    this.counts[reason] += 1;
    this.log.note(reason);
  }

  /** Writes what is not written yet. */
  close(): void {
    this.log.close();
  }
}
