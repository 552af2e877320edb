import type { SleepingClock } from "../../ports/clock.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import type { Lease, BacklogSource } from "../../ports/trace-buffer.ts";

export interface BacklogParts {
  readonly buffer: BacklogSource;
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly clock: SleepingClock;
  /** How long a span waits for others. */
  readonly maxDelayMs: number;
  /** What makes a batch full, either of the two. */
  readonly full: { readonly spans: number; readonly bytes: number };
}

/** `due`: a batch is. `over`: none will ever be. */
export type BacklogState = "due" | "over";

/**
 * When a batch is due: when it is full, when its first span has waited long enough, or when spans
 * were given back, which have waited already. All that was there when one had waited long enough
 * goes with it, in as many batches as it takes.
 *
 * What is there to be sent is known by sequences, and by the bytes in use. It may be less, as
 * readers take; then a lease comes back empty, which `drained` is told.
 *
 * Invariant: no span from `nextSequence` on has been leased.
 */
export class Backlog {
  // Fixed at construction.
  private readonly parts: BacklogParts;

  // Moved by `leased`, `settled`, `returned`, `drained` and `stop`.
  private nextSequence = 1;
  private leasedBytes = 0;
  private hasReturned = false;
  private isStopping = false;

  // Moved by `next`: when the first that waits has done so for long enough; and what came before
  // this sequence has.
  private lateAtMs: number | undefined;
  private lateNext = 1;

  // Moved by `change`: there is one who waits.
  private wake = (): void => {};

  constructor(parts: BacklogParts) {
    this.parts = parts;
  }

  /** What is there is due at once from now on, and when nothing is left it is over. */
  stop(): void {
    this.isStopping = true;
    this.wake();
  }

  leased({ sequences, request }: Lease): void {
    const next = sequences.at(-1)! + 1;
    // Those that were given back come first: one that is behind them all has left none.
    this.hasReturned &&= next <= this.nextSequence;
    this.nextSequence = Math.max(this.nextSequence, next);
    this.leasedBytes += request.length;
    this.lateAtMs = undefined;
  }

  /** It is not the oldest: what is before it still waits. */
  leasedAhead({ request }: Lease): void {
    this.leasedBytes += request.length;
  }

  /** All of a lease is: it has left the ring, or waits again. */
  settled({ request }: Lease): void {
    this.leasedBytes -= request.length;
    this.wake();
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

  /** `inFlight`: while there is something, it may be given back. */
  async next(inFlight: () => number): Promise<BacklogState> {
    for (;;) {
      const state = this.state(inFlight());
      if (state !== "waiting") return state;
      // oxlint-disable-next-line no-await-in-loop -- what is waited for may not have come yet
      await this.change();
    }
  }

  private state(inFlightSpans: number): BacklogState | "waiting" {
    const waitingSpans = this.parts.buffer.range().next - this.waitingFrom();
    if (waitingSpans === 0) this.lateAtMs = undefined;
    else if (this.isFull(waitingSpans) || this.isStopping || this.isLate()) return "due";
    if (this.hasReturned) return "due";
    return this.isStopping && inFlightSpans === 0 ? "over" : "waiting";
  }

  /** The sequence of the first that was not leased yet, if there is one. */
  private waitingFrom(): number {
    return Math.max(this.parts.buffer.range().first, this.nextSequence);
  }

  private isFull(waitingSpans: number): boolean {
    const { full, buffer } = this.parts;
    return waitingSpans >= full.spans || buffer.usedBytes() - this.leasedBytes >= full.bytes;
  }

  private isLate(): boolean {
    const nowMs = this.parts.clock.monotonicMs();
    this.lateAtMs ??= nowMs + this.parts.maxDelayMs;
    if (nowMs >= this.lateAtMs) this.lateNext = this.parts.buffer.range().next;
    return this.waitingFrom() < this.lateNext;
  }

  /** Whatever arrives, or is given back, is a reason to look anew; and so is time. */
  private async change(): Promise<void> {
    const { arrivals, buffer, clock } = this.parts;
    const woken = new AbortController();
    this.wake = () => woken.abort();
    const forget = arrivals.onNext(buffer.range().next, this.wake);
    await sleepOrWait(clock, this.lateAtMs, woken.signal).finally(forget);
  }
}

async function sleepOrWait(
  clock: SleepingClock,
  untilMs: number | undefined,
  woken: AbortSignal,
): Promise<void> {
  if (untilMs !== undefined) return await clock.sleep(untilMs - clock.monotonicMs(), woken);
  if (woken.aborted) return undefined;
  return await new Promise((resolve) => {
    woken.addEventListener("abort", () => resolve(), { once: true });
  });
}
