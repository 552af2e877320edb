import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { TalliedLog } from "../tallied-log.ts";
import type { UndeliverableReason } from "./forward-figures.ts";
import type { LastError, UpstreamState } from "./forward-status.ts";

export interface ForwardLogParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly unixMs: () => number;
}

/**
 * Tells of the upstream, a line for each change of its state, and of spans that are lost for good,
 * a line a second at most.
 */
export class ForwardLog {
  // Fixed at construction.
  private readonly parts: ForwardLogParts;
  private readonly losses: TalliedLog;

  // Moved by `succeeded` and `failed`.
  state: UpstreamState = "untried";
  lastError: LastError | undefined;
  private backingOffSinceMs = 0;

  constructor(parts: ForwardLogParts) {
    this.parts = parts;
    this.losses = new TalliedLog((fields) => parts.logger.warning("undeliverable", fields));
  }

  succeeded(): void {
    const before = this.state;
    this.state = "connected";
    if (before === "connected") return;
    const outage = before === "backing_off" ? { outage_ms: this.outageMs() } : {};
    this.parts.logger.info("forward_connected", outage);
  }

  failed(message: string, pauseMs: number): void {
    this.lastError = { message, unixMs: this.parts.unixMs() };
    if (this.state !== "backing_off") this.beganToBackOff(message, pauseMs);
  }

  /** Of the upstream's words the last are told. */
  lost(spanCount: number, reason: UndeliverableReason, message: string): void {
    this.lastError = { message, unixMs: this.parts.unixMs() };
    this.losses.note(reason, { error: message }, spanCount);
  }

  close(): void {
    this.losses.close();
  }

  private beganToBackOff(error: string, pauseMs: number): void {
    this.state = "backing_off";
    this.backingOffSinceMs = this.parts.clock.monotonicMs();
    this.parts.logger.warning("forward_backing_off", { error, pause_ms: Math.round(pauseMs) });
  }

  private outageMs(): number {
    return Math.round(this.parts.clock.monotonicMs() - this.backingOffSinceMs);
  }
}
