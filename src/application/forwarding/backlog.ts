import type { SleepingClock } from "../../ports/clock.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import type { Lease, BacklogSource } from "../../ports/trace-buffer.ts";

export interface BacklogParts {
  readonly buffer: BacklogSource;
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly clock: SleepingClock;
  /** How long a span waits for others to join its batch. */
  readonly maxDelayMs: number;
  /** A batch is full when it reaches either limit. */
  readonly full: { readonly spans: number; readonly bytes: number };
}

/** `due`: send a batch now. `over`: no batch will be due again. */
export type BacklogState = "due" | "over";

/**
 * Decides when a batch is due: when it is full, when its first span has waited long enough, or when
 * spans were returned, which have waited already. Once a span has waited long enough, all spans
 * buffered by then are due, in as many batches as they need.
 *
 * Counts waiting spans by sequences and by the bytes in use. Readers may have taken some of them;
 * then a lease comes back empty, and `drained` corrects the count.
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

  // Moved by `change`: wakes the caller of `next`.
  private wake = (): void => {};

  constructor(parts: BacklogParts) {
    this.parts = parts;
  }

  /** From now on, all spans are due at once; when none is left, the backlog is over. */
  stop(): void {
    this.isStopping = true;
    this.wake();
  }

  leased({ sequences, request }: Lease): void {
    const next = sequences.at(-1)! + 1;
    // Returned spans come first: a lease that goes beyond them leaves none of them.
    this.hasReturned &&= next <= this.nextSequence;
    this.nextSequence = Math.max(this.nextSequence, next);
    this.leasedBytes += request.length;
    this.lateAtMs = undefined;
  }

  /** Counts a lease of newer spans; those before it still wait. */
  leasedAhead({ request }: Lease): void {
    this.leasedBytes += request.length;
  }

  /** Counts a lease whose spans have all left the ring or wait again. */
  settled({ request }: Lease): void {
    this.leasedBytes -= request.length;
    this.wake();
  }

  returned(): void {
    this.hasReturned = true;
    this.wake();
  }

  /** Counts that no span before this sequence was left to be leased. */
  drained(next: number): void {
    this.hasReturned = false;
    this.nextSequence = Math.max(this.nextSequence, next);
  }

  /** Spans that are `inFlight` may still be returned, so the backlog is not over. */
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

  /** Returns the sequence of the first span that was not leased yet, or of the next to arrive. */
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

  /** Waits until a span arrives or is returned, or until the oldest has waited long enough. */
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
