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

/** Another cause is told, unless causes take turns; and the same one again. */
const NEWS_MS = 10_000;
const REMINDER_MS = 300_000;

/**
 * Tells of the upstream, a line for each change of its state and of what is wrong with it; and of
 * spans that are lost for good, a line a second at most.
 */
export class ForwardLog {
  // Fixed at construction.
  private readonly parts: ForwardLogParts;
  private readonly losses: TalliedLog;

  // Moved by `succeeded` and `failed`.
  state: UpstreamState = "untried";
  lastError: LastError | undefined;
  private backingOffSinceMs = 0;
  private told: { readonly message: string; readonly atMs: number } | undefined;

  constructor(parts: ForwardLogParts) {
    this.parts = parts;
    this.losses = new TalliedLog((fields) => parts.logger.warning("undeliverable", fields));
  }

  succeeded(): void {
    const before = this.state;
    this.state = "connected";
    if (before === "connected") return;
    this.parts.logger.info("forward_connected", before === "backing_off" ? this.outage() : {});
  }

  /** `pauseMs`: until it is tried again. */
  failed(message: string, pauseMs: number): void {
    this.lastError = { message, unixMs: this.parts.unixMs() };
    if (this.state !== "backing_off") this.beganToBackOff();
    if (this.isNews(message)) this.tellFailure(message, pauseMs);
  }

  /** Of the upstream's words the last are told. */
  lost(spanCount: number, reason: UndeliverableReason, message: string): void {
    this.lastError = { message, unixMs: this.parts.unixMs() };
    this.losses.note(reason, { error: message }, spanCount);
  }

  close(): void {
    this.losses.close();
  }

  private beganToBackOff(): void {
    this.state = "backing_off";
    this.backingOffSinceMs = this.parts.clock.monotonicMs();
    this.told = undefined;
  }

  /** It is said again now and then, for whoever looks at the log in the middle of an outage. */
  private isNews(message: string): boolean {
    if (this.told === undefined) return true;
    const sinceMs = this.parts.clock.monotonicMs() - this.told.atMs;
    return sinceMs >= REMINDER_MS || (sinceMs >= NEWS_MS && message !== this.told.message);
  }

  private tellFailure(message: string, pauseMs: number): void {
    this.told = { message, atMs: this.parts.clock.monotonicMs() };
    const times = { pause_ms: Math.round(pauseMs), ...this.outage() };
    this.parts.logger.warning("forward_backing_off", { error: message, ...times });
  }

  private outage(): { readonly outage_ms: number } {
    return { outage_ms: Math.round(this.parts.clock.monotonicMs() - this.backingOffSinceMs) };
  }
}
