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

/** Says whether to send. `due`: send a batch now. `over`: no further batch will be due. */
export type BacklogState = "due" | "over";

/** Holds what the backlog knows about the waiting spans. */
interface WaitingSpans {
  // Moved by `reading`, `leased`, `leasedAhead`, `settled`, `returned`, `drained` and `stop`.
  nextSequence: number;
  leasedBytes: number;
  hasReturned: boolean;
  readingCount: number;
  isStopping: boolean;

  // Moved by `isLate`: when the first span will have waited long enough. All spans before
  // `lateNext` have.
  lateAtMs: number | undefined;
  lateNext: number;

  // Moved by `change`: wakes the caller of `next`.
  wake: () => void;
}

/**
 * Decides when a batch is due: when it is full, when its first span has waited long enough, or when
 * spans were returned, because those have waited already. Once a span has waited long enough, all
 * spans buffered by then are due, in as many batches as they need.
 *
 * Spans that are on disk only have waited long enough: they are due at once.
 *
 * Waiting spans are counted by their sequences and by the bytes in use. If readers have taken some
 * of them, a lease comes back empty, and `drained` corrects the count.
 *
 * Invariant: no span from `nextSequence` on has been leased.
 */
export class Backlog {
  // Fixed at construction.
  private readonly parts: BacklogParts;

  private readonly waiting: WaitingSpans = {
    nextSequence: 1,
    leasedBytes: 0,
    hasReturned: false,
    readingCount: 0,
    isStopping: false,
    lateAtMs: undefined,
    lateNext: 1,
    wake: () => {},
  };

  constructor(parts: BacklogParts) {
    this.parts = parts;
  }

  /** Makes all spans due at once. The backlog is over when none is left. */
  stop(): void {
    this.waiting.isStopping = true;
    this.waiting.wake();
  }

  /** Counts a lease that is being read from a disk; until it is, the backlog is not over. */
  reading(lease: Promise<unknown>): void {
    const { waiting } = this;
    waiting.readingCount += 1;
    const ended = () => endReading(waiting);
    lease.then(ended, ended);
  }

  leased({ sequences, request }: Lease): void {
    const next = sequences.at(-1)! + 1;
    // Returned spans are leased first, so a lease that reaches beyond them includes all of them.
    this.waiting.hasReturned &&= next <= this.waiting.nextSequence;
    advance(this.waiting, next);
    this.waiting.leasedBytes += request.length;
    this.waiting.lateAtMs = undefined;
  }

  /** Counts a lease of newer spans, ahead of older ones that still wait. */
  leasedAhead({ request }: Lease): void {
    this.waiting.leasedBytes += request.length;
  }

  /**
   * Counts a lease of this size whose spans have all left the ring or are waiting again. Its
   * request may have been freed.
   */
  settled(requestBytes: number): void {
    this.waiting.leasedBytes -= requestBytes;
    this.waiting.wake();
  }

  returned(): void {
    this.waiting.hasReturned = true;
    this.waiting.wake();
  }

  /** Records that no span before this sequence could be leased. */
  drained(next: number): void {
    this.waiting.hasReturned = false;
    advance(this.waiting, next);
  }

  /** Resolves when a batch is due. Spans that are `inFlight` may still be returned. */
  next(inFlight: () => number): Promise<BacklogState> {
    return nextState(this.parts, this.waiting, inFlight);
  }
}

function endReading(waiting: WaitingSpans): void {
  waiting.readingCount -= 1;
  waiting.wake();
}

function advance(waiting: WaitingSpans, next: number): void {
  waiting.nextSequence = Math.max(waiting.nextSequence, next);
}

async function nextState(
  parts: BacklogParts,
  waiting: WaitingSpans,
  inFlight: () => number,
): Promise<BacklogState> {
  const { buffer, full } = parts;
  for (;;) {
    const { first, next } = buffer.range();
    const from = Math.max(first, waiting.nextSequence);
    if (next === from) {
      waiting.lateAtMs = undefined;
    } else {
      const waitingBytes = buffer.usedBytes() - waiting.leasedBytes;
      const isFull = next - from >= full.spans || waitingBytes >= full.bytes;
      if (isFull || waiting.isStopping || isLate(parts, waiting, { from, next })) return "due";
    }
    if (waiting.hasReturned || buffer.hasSpilled()) return "due";
    if (waiting.isStopping && waiting.readingCount + inFlight() === 0) return "over";
    // oxlint-disable-next-line no-await-in-loop -- a change may not make a batch due
    await change(parts, waiting);
  }
}

/** Reports whether any waiting span was already buffered when an earlier one became due. */
function isLate(
  { clock, maxDelayMs }: BacklogParts,
  waiting: WaitingSpans,
  { from, next }: { readonly from: number; readonly next: number },
): boolean {
  const nowMs = clock.monotonicMs();
  waiting.lateAtMs ??= nowMs + maxDelayMs;
  if (nowMs >= waiting.lateAtMs) waiting.lateNext = next;
  return from < waiting.lateNext;
}

/** Waits until a span arrives or is returned, or until the oldest has waited long enough. */
async function change(
  { arrivals, buffer, clock }: BacklogParts,
  waiting: WaitingSpans,
): Promise<void> {
  const woken = new AbortController();
  waiting.wake = () => woken.abort();
  const forget = arrivals.onNext(buffer.range().next, waiting.wake);
  await sleepOrWait(clock, waiting.lateAtMs, woken.signal).finally(forget);
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
