import type { TimerClock } from "../../ports/clock.ts";
import type { LogFields, Logger } from "../../ports/logger.ts";
import { RateLimitedLog } from "../receiving/rate-limited-log.ts";
import type { LastError, UndeliverableReason, UpstreamState } from "./forward-status.ts";
import type { SendFailure } from "./send-failure.ts";

export interface ForwardLogParts {
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly unixMs: () => number;
}

/** A reason that persists is logged again after this time, for readers who join in mid-outage. */
const REMINDER_MS = 300_000;

/** Minimum time between two lines about different reasons. */
const LINE_INTERVAL_MS = 1_000;

/** A log line about a failure. */
interface FailureLine {
  readonly state: UpstreamState;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * Logs the state of the upstream: one line for each change of state and for each new reason during
 * an outage. Reasons that follow each other within a second share a line, which has the last of
 * them. The same applies to lost spans and to warnings from the upstream.
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
  /** The last line about the current outage. */
  private logged: (FailureLine & { readonly atMs: number }) | undefined;

  // Moved by `logInTurn`: the line to write a second after the previous one.
  private next: FailureLine | undefined;
  private cancelNext: (() => void) | undefined;

  constructor(parts: ForwardLogParts) {
    this.parts = parts;
    this.losses = warningLog(parts, "undeliverable");
    this.warnings = warningLog(parts, "upstream_warning");
  }

  succeeded(): void {
    if (this.state === "connected") return;
    this.state = "connected";
    this.logNext();
    this.parts.logger.info("forward_connected", this.outage());
    this.failingSinceMs = this.logged = undefined;
  }

  /** Records a failure. `pauseMs` is the time until the next try. */
  failed(failure: SendFailure, pauseMs: number): void {
    const { message, hint } = failure;
    this.lastError = { message, hint, unixMs: this.parts.unixMs() };
    this.state = failure.isRefusal ? "blocked" : "backing_off";
    this.failingSinceMs ??= this.parts.clock.monotonicMs();
    this.logInTurn(this.lineOf(failure, pauseMs));
  }

  /** Logs lost spans with the last message of the upstream. */
  lost(spanCount: number, reason: UndeliverableReason, message: string): void {
    this.lastError = { message, hint: undefined, unixMs: this.parts.unixMs() };
    this.losses.note(reason, { error: message }, spanCount);
  }

  /** Logs the warning that the upstream has sent with an accepted batch. */
  warned(message: string): void {
    this.warnings.note("batches", { message });
  }

  close(): void {
    this.logNext();
    this.losses.close();
    this.warnings.close();
  }

  private lineOf({ message, hint }: SendFailure, pauseMs: number): FailureLine {
    const why = { error: message, ...(hint === undefined ? {} : { hint }) };
    const fields = { ...why, pause_ms: Math.round(pauseMs), ...this.outage() };
    return { state: this.state, message, fields };
  }

  private logInTurn(line: FailureLine): void {
    const isNews = !isSameReason(line, this.logged) || this.sinceLineMs >= REMINDER_MS;
    this.next = isNews ? line : undefined;
    const delayMs = LINE_INTERVAL_MS - this.sinceLineMs;
    if (delayMs <= 0) this.logNext();
    else this.cancelNext ??= this.parts.clock.schedule(delayMs, () => this.logNext());
  }

  private get sinceLineMs(): number {
    const atMs = this.logged?.atMs ?? Number.NEGATIVE_INFINITY;
    return this.parts.clock.monotonicMs() - atMs;
  }

  private logNext(): void {
    this.cancelNext?.();
    const { next } = this;
    this.next = this.cancelNext = undefined;
    if (next !== undefined) this.write(next);
  }

  private write(line: FailureLine): void {
    this.logged = { ...line, atMs: this.parts.clock.monotonicMs() };
    const event = line.state === "blocked" ? "forward_blocked" : "forward_backing_off";
    this.parts.logger.warning(event, line.fields);
  }

  private outage(): { readonly outage_ms?: number } {
    if (this.failingSinceMs === undefined) return {};
    return { outage_ms: Math.round(this.parts.clock.monotonicMs() - this.failingSinceMs) };
  }
}

function warningLog({ clock, logger }: ForwardLogParts, event: string): RateLimitedLog {
  return new RateLimitedLog(clock, (fields) => logger.warning(event, fields));
}

function isSameReason(line: FailureLine, other: FailureLine | undefined): boolean {
  return line.state === other?.state && line.message === other.message;
}
