import type { SleepingClock } from "../../ports/clock.ts";

export interface GateParts {
  /** Maximum length of the first pause. */
  readonly initialMs: number;
  /** Maximum length of any pause. */
  readonly maxMs: number;
  readonly clock: SleepingClock;
  /** Returns a random number from 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** Permits sending one batch. The period shows whether its outcome is outdated. */
export interface Pass {
  readonly period: number;
  /**
   * Whether the upstream refused the last try: an empty request must succeed before spans are sent.
   */
  readonly isProbe: boolean;
}

/** Describes why the gate closes. */
export interface GateFailure {
  /** The pause that the upstream asks for. */
  readonly afterMs?: number | undefined;
  readonly isRefusal?: boolean;
  /** Whether it refused every span of the last try, whatever it says to an empty request. */
  readonly areSpansRefused?: boolean;
}

/** Limits the pause that an upstream asks for, in case it has mistaken the unit. */
export const LONGEST_ASKED_PAUSE_MS = 3_600_000;

/** During a stop, spans that were refused this many times in a row are not tried again. */
const MAX_SPAN_REFUSALS = 2;

/**
 * Stops sending while the upstream fails. After a pause, one batch is sent on trial, and others
 * follow once it succeeds. An upstream that answered with a refusal gets an empty request first.
 *
 *   open ──failed──▶ paused ──time──▶ trial ──succeeded──▶ open
 *                      ▲               │
 *                      └────failed─────┘
 *
 * The maximum length of a pause doubles from `initialMs` to `maxMs`. The actual length is random,
 * so that senders that lost the same upstream do not all return at the same time ("full jitter":
 * Brooker, Exponential Backoff And Jitter). A pause is at least as long as the upstream asks for.
 *
 * Invariant: failures count once per period; each pause begins a new period.
 */
export class UpstreamGate {
  // Fixed at construction.
  private readonly parts: GateParts;

  // Moved by `hurry`.
  private endsAtMs = Number.POSITIVE_INFINITY;

  // Moved by `failed`, `succeeded` and `gaveUp`.
  private period = 0;
  private failures = 0;
  private isRefused = false;
  /** Number of failures in a row that were refusals of all spans tried. */
  private spanRefusals = 0;
  private pausedUntilMs = 0;
  private trial: PromiseWithResolvers<void> | undefined;

  // Moved by `change` and `endPause`: the sleeps in progress.
  private readonly sleeps = new Set<AbortController>();

  constructor(parts: GateParts) {
    this.parts = parts;
  }

  get isOpen(): boolean {
    return this.failures === 0;
  }

  /** Returns the rest of the pause; 0 if there is none. */
  get pauseLeftMs(): number {
    return this.isOpen ? 0 : Math.max(0, this.pausedUntilMs - this.parts.clock.monotonicMs());
  }

  /**
   * Limits the time for tries. The current pause ends at once, for one more try. A later pause is
   * waited for only if it ends in time, and only if the upstream refuses more than the spans
   * themselves.
   */
  hurry(withinMs: number): void {
    this.endsAtMs = this.parts.clock.monotonicMs() + withinMs;
    this.endPause();
  }

  /** Permits the next try at once. */
  endPause(): void {
    this.pausedUntilMs = Math.min(this.pausedUntilMs, this.parts.clock.monotonicMs());
    for (const sleep of this.sleeps) this.endSleep(sleep);
  }

  /** Resolves when a batch may be sent; to undefined if none may be sent any more. */
  async pass(cancelled: AbortSignal): Promise<Pass | undefined> {
    while (!this.mayPass) {
      if (cancelled.aborted || this.isOver) return undefined;
      // oxlint-disable-next-line no-await-in-loop -- a change may not open the gate
      await this.change(cancelled);
    }
    return cancelled.aborted ? undefined : this.enter();
  }

  succeeded(pass: Pass): void {
    if (!this.isCurrent(pass)) return;
    this.failures = this.spanRefusals = 0;
    this.isRefused = false;
    this.endTrial();
  }

  failed(pass: Pass, failure: GateFailure = {}): void {
    if (!this.isCurrent(pass)) return;
    this.isRefused ||= failure.isRefusal === true;
    this.spanRefusals = failure.areSpansRefused === true ? this.spanRefusals + 1 : 0;
    this.pause(Math.max(this.drawnPauseMs(), boundedPauseMs(failure)));
  }

  /** Reports whether the gate has stayed open since this pass was issued. */
  isCurrent({ period }: Pass): boolean {
    return period === this.period;
  }

  /** Ends a trial without an outcome, so that another batch can take its place. */
  gaveUp(pass: Pass): void {
    if (this.isCurrent(pass)) this.endTrial();
  }

  private drawnPauseMs(): number {
    const { random, initialMs, maxMs } = this.parts;
    return random() * Math.min(maxMs, initialMs * 2 ** this.failures);
  }

  private pause(durationMs: number): void {
    this.period += 1;
    this.failures += 1;
    this.pausedUntilMs = this.parts.clock.monotonicMs() + durationMs;
    this.endTrial();
  }

  /** Reports whether waiting is pointless. A trial in flight may still succeed. */
  private get isOver(): boolean {
    if (this.trial !== undefined) return false;
    const isHurried = this.endsAtMs < Number.POSITIVE_INFINITY;
    if (isHurried && this.spanRefusals >= MAX_SPAN_REFUSALS) return true;
    return this.pausedUntilMs > this.endsAtMs;
  }

  private get mayPass(): boolean {
    return this.isOpen || (this.pauseLeftMs === 0 && this.trial === undefined);
  }

  private enter(): Pass {
    if (!this.isOpen) this.trial = Promise.withResolvers<void>();
    return { period: this.period, isProbe: this.isRefused };
  }

  private endTrial(): void {
    this.trial?.resolve();
    this.trial = undefined;
  }

  private async change(cancelled: AbortSignal): Promise<void> {
    if (this.trial !== undefined) return await untilAborted(this.trial.promise, cancelled);
    const sleep = new AbortController();
    this.sleeps.add(sleep);
    await untilAborted(this.parts.clock.sleep(this.pauseLeftMs, sleep.signal), cancelled);
    this.endSleep(sleep);
  }

  private endSleep(sleep: AbortController): void {
    this.sleeps.delete(sleep);
    sleep.abort();
  }
}

function boundedPauseMs({ afterMs = 0 }: GateFailure): number {
  return Math.min(Math.max(0, afterMs), LONGEST_ASKED_PAUSE_MS);
}

/** Resolves with the promise, or early if the signal is aborted. */
export async function untilAborted(
  promise: Promise<unknown>,
  cancelled: AbortSignal,
): Promise<void> {
  if (cancelled.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  cancelled.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    cancelled.removeEventListener("abort", abort);
  }
}
