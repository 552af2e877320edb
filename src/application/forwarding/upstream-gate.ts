import type { SleepingClock } from "../../ports/clock.ts";
import { untilAborted } from "./until-aborted.ts";

export interface GateParts {
  /** The longest first pause. */
  readonly initialMs: number;
  /** The longest pause of all. */
  readonly maxMs: number;
  readonly clock: SleepingClock;
  /** From 0 up to, and without, 1. */
  readonly random: () => number;
}

/** Permits one batch. Its period shows when the outcome is outdated. */
export interface Pass {
  readonly period: number;
  /** The upstream has refused us: only when it takes an empty request may spans follow. */
  readonly isProbe: boolean;
}

/** Says why the gate closes. */
export interface GateFailure {
  /** The upstream's own wish. */
  readonly afterMs?: number | undefined;
  readonly isRefusal?: boolean;
  /** It takes empty requests, and refused every span of the last try. */
  readonly areSpansRefused?: boolean;
}

/** An upstream may ask for more, but not for ever: it may have mistaken the unit. */
export const LONGEST_ASKED_PAUSE_MS = 3_600_000;

/** In a hurry, spans that are refused so often in a row are not tried again. */
const MAX_SPAN_REFUSALS = 2;

/**
 * Keeps a dead upstream from costing anything: while it fails nothing is sent to it, and after a
 * pause one batch, on trial. Only when that comes through do others follow. An upstream that is
 * there and refuses us is asked with an empty request first.
 *
 *   open ──failed──▶ paused ──time──▶ trial ──succeeded──▶ open
 *                      ▲               │
 *                      └────failed─────┘
 *
 * Pauses double from `initialMs` up to `maxMs`, and each is drawn at random below that, so that
 * many who lost the same upstream do not come back at the same time ("full jitter": Brooker,
 * Exponential Backoff And Jitter). The upstream's own wish is the least.
 *
 * Invariant: a failure counts once for each period; a period begins with each pause.
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
  /** Failures in a row that were refusals of all spans tried. */
  private spanRefusals = 0;
  private pausedUntilMs = 0;
  private trial: PromiseWithResolvers<void> | undefined;

  // Moved by `change`: there is one who sleeps.
  private wake = (): void => {};

  constructor(parts: GateParts) {
    this.parts = parts;
  }

  get isOpen(): boolean {
    return this.failures === 0;
  }

  /** How long the pause lasts still; 0 when there is none. */
  get pauseLeftMs(): number {
    return this.isOpen ? 0 : Math.max(0, this.pausedUntilMs - this.parts.clock.monotonicMs());
  }

  /**
   * Limits the time for tries. A pause ends at once, for one more try; a later one is waited for
   * only if it ends in time, and if something else than the spans themselves is refused.
   */
  hurry(withinMs: number): void {
    this.endsAtMs = this.parts.clock.monotonicMs() + withinMs;
    this.endPause();
  }

  /** The next try is at once. */
  endPause(): void {
    this.pausedUntilMs = Math.min(this.pausedUntilMs, this.parts.clock.monotonicMs());
    this.wake();
  }

  /** Resolves when a batch may be sent; with nothing when none can be, or is wanted to be. */
  async pass(cancelled: AbortSignal): Promise<Pass | undefined> {
    while (!this.mayPass) {
      if (cancelled.aborted || this.isOver) return undefined;
      // oxlint-disable-next-line no-await-in-loop -- what is waited for may not have come yet
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

  /** Reports whether the outcome of a batch with this pass is news. */
  isCurrent({ period }: Pass): boolean {
    return period === this.period;
  }

  /** Nothing has come of the batch that has this pass: another may be the trial. */
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

  /** Nothing will come of waiting. */
  private get isOver(): boolean {
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
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await untilAborted(this.parts.clock.sleep(this.pauseLeftMs, woken.signal), cancelled);
    woken.abort();
  }
}

function boundedPauseMs({ afterMs = 0 }: GateFailure): number {
  return Math.min(Math.max(0, afterMs), LONGEST_ASKED_PAUSE_MS);
}
