import type { SleepingClock } from "../../ports/clock.ts";
import type { Arrivals } from "../arrivals.ts";
import type { ObservabilityBuffer } from "../observability-buffer.ts";
import type { Lease } from "../ring-lease.ts";

export interface BacklogParts {
  readonly buffer: Pick<ObservabilityBuffer, "range">;
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly clock: SleepingClock;
  readonly settings: { readonly batchSpans: number; readonly maxDelayMs: number };
}

/** `due`: a batch is. `over`: none will ever be. */
export type BacklogState = "due" | "over";

/**
 * When a batch is due: when it is full, when its first span has waited long enough, or when spans
 * were given back, which have waited already. All that was there when one had waited long enough
 * goes with it, in as many batches as it takes: few large spans fill a batch in bytes, which are
 * not counted here.
 *
 * What is there to be sent is known by sequences alone. It may be less, as readers take; then a
 * lease comes back empty, which `drained` is told.
 *
 * Invariant: no span from `nextSequence` on has been leased.
 */
export class Backlog {
  // Fixed at construction.
  private readonly parts: BacklogParts;

  // Moved by `leased`, `returned`, `drained` and `stop`.
  private nextSequence = 1;
  private hasReturned = false;
  private isStopping = false;

  // Moved by `late`: what was there before this sequence waits no longer.
  private overdueNext = 1;

  // Moved by `until`: there is one who waits.
  private wake = (): void => {};

  constructor(parts: BacklogParts) {
    this.parts = parts;
  }

  /** What is there is due at once from now on, and when nothing is left it is over. */
  stop(): void {
    this.isStopping = true;
    this.wake();
  }

  leased({ sequences }: Lease): void {
    const next = sequences.at(-1)! + 1;
    // Those that were given back come first: one that is behind them all has left none.
    this.hasReturned &&= next <= this.nextSequence;
    this.nextSequence = Math.max(this.nextSequence, next);
  }

  returned(): void {
    this.hasReturned = true;
    this.wake();
  }

  /** Nothing before this sequence was there to be leased. */
  drained(next: number): void {
    this.hasReturned = false;
    this.nextSequence = Math.max(this.nextSequence, next);
  }

  /** Whoever waits looks anew: what was in flight may have ended. */
  look(): void {
    this.wake();
  }

  /** `inFlight`: while there is something, it may be given back. */
  async next(inFlight: () => number): Promise<BacklogState> {
    for (;;) {
      const state = this.stateWith(inFlight());
      if (state !== undefined) return state;
      // oxlint-disable-next-line no-await-in-loop -- what is waited for may not have come yet
      if ((await this.more()) === "late") this.late();
    }
  }

  private stateWith(inFlightSpans: number): BacklogState | undefined {
    const isOverdue = this.waitingFrom() < this.overdueNext;
    const least = this.isStopping ? 1 : this.parts.settings.batchSpans;
    if (this.hasReturned || isOverdue || this.waitingSpans() >= least) return "due";
    return this.isStopping && inFlightSpans === 0 ? "over" : undefined;
  }

  private waitingSpans(): number {
    return this.parts.buffer.range().next - this.waitingFrom();
  }

  /** The sequence of the first that was not leased yet, if there is one. */
  private waitingFrom(): number {
    return Math.max(this.parts.buffer.range().first, this.nextSequence);
  }

  private late(): void {
    this.overdueNext = this.parts.buffer.range().next;
  }

  /** Late is a batch that has not filled up in time. */
  private async more(): Promise<"changed" | "late"> {
    const { settings } = this.parts;
    const { next } = this.parts.buffer.range();
    const waiting = this.waitingSpans();
    if (waiting === 0) return await this.until(next, Number.POSITIVE_INFINITY);
    return await this.until(next + settings.batchSpans - waiting - 1, settings.maxDelayMs);
  }

  private async until(sequence: number, durationMs: number): Promise<"changed" | "late"> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    const forget = this.parts.arrivals.onNext(sequence, this.wake);
    await sleepOrWait(this.parts.clock, durationMs, woken.signal).finally(forget);
    return woken.signal.aborted ? "changed" : "late";
  }
}

async function sleepOrWait(
  clock: SleepingClock,
  durationMs: number,
  woken: AbortSignal,
): Promise<void> {
  if (durationMs < Number.POSITIVE_INFINITY) return await clock.sleep(durationMs, woken);
  if (woken.aborted) return undefined;
  return await new Promise((resolve) => {
    woken.addEventListener("abort", () => resolve(), { once: true });
  });
}
