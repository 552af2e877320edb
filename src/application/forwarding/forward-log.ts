import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { RateLimitedLog } from "../receiving/rate-limited-log.ts";
import type { UndeliverableReason } from "./forward-figures.ts";
import type { LastError, UpstreamState } from "./forward-status.ts";
import type { SendFailure } from "./send-failure.ts";

export interface ForwardLogParts {
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly unixMs: () => number;
}

/** Another cause is logged, unless causes take turns; and the same one again. */
const NEWS_MS = 10_000;
const REMINDER_MS = 300_000;

interface Logged {
  readonly message: string;
  readonly atMs: number;
}

/**
 * Logs the upstream's state: a line for each change of it and of what is wrong. Spans that are lost
 * for good, and warnings of the upstream, take a line a second each at most.
 */
export class ForwardLog {
  // Fixed at construction.
  private readonly parts: ForwardLogParts;
  private readonly losses: RateLimitedLog;
  private readonly warnings: RateLimitedLog;

  // Moved by `succeeded` and `failed`.
  state: UpstreamState = "untried";
  lastError: LastError | undefined;
  private failingSinceMs: number | undefined;
  /** The last line of this outage, by state. */
  private readonly logged = new Map<UpstreamState, Logged>();

  constructor(parts: ForwardLogParts) {
    this.parts = parts;
    this.losses = warningLog(parts, "undeliverable");
    this.warnings = warningLog(parts, "upstream_warning");
  }

  succeeded(): void {
    if (this.state === "connected") return;
    this.state = "connected";
    this.parts.logger.info("forward_connected", this.outage());
    this.failingSinceMs = undefined;
    this.logged.clear();
  }

  /** `pauseMs`: until it is tried again. */
  failed(failure: SendFailure, pauseMs: number): void {
    const { message, hint } = failure;
    this.lastError = { message, hint, unixMs: this.parts.unixMs() };
    this.state = failure.isRefusal ? "blocked" : "backing_off";
    this.failingSinceMs ??= this.parts.clock.monotonicMs();
    if (this.isNews(failure.message)) this.logFailure(failure, pauseMs);
  }

  /** Logs the last words of the upstream. */
  lost(spanCount: number, reason: UndeliverableReason, message: string): void {
    this.lastError = { message, hint: undefined, unixMs: this.parts.unixMs() };
    this.losses.note(reason, { error: message }, spanCount);
  }

  /** The upstream has taken a batch and sent a warning with it. */
  warned(message: string): void {
    this.warnings.note("batches", { message });
  }

  close(): void {
    this.losses.close();
    this.warnings.close();
  }

  /** It is logged again now and then, for whoever reads the log in the middle of an outage. */
  private isNews(message: string): boolean {
    const logged = this.logged.get(this.state);
    if (logged === undefined) return true;
    const sinceMs = this.parts.clock.monotonicMs() - logged.atMs;
    return sinceMs >= REMINDER_MS || (sinceMs >= NEWS_MS && message !== logged.message);
  }

  private logFailure({ message, hint, isRefusal }: SendFailure, pauseMs: number): void {
    this.logged.set(this.state, { message, atMs: this.parts.clock.monotonicMs() });
    const told = { error: message, ...(hint === undefined ? {} : { hint }) };
    const fields = { ...told, pause_ms: Math.round(pauseMs), ...this.outage() };
    this.parts.logger.warning(isRefusal ? "forward_blocked" : "forward_backing_off", fields);
  }

  private outage(): { readonly outage_ms?: number } {
    if (this.failingSinceMs === undefined) return {};
    return { outage_ms: Math.round(this.parts.clock.monotonicMs() - this.failingSinceMs) };
  }
}

function warningLog({ clock, logger }: ForwardLogParts, event: string): RateLimitedLog {
  return new RateLimitedLog(clock, (fields) => logger.warning(event, fields));
}
