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

/** Holds what the backlog knows of the spans that wait. */
interface Waiting {
  // Moved by `leased`, `leasedAhead`, `settled`, `returned`, `drained` and `stop`.
  nextSequence: number;
  leasedBytes: number;
  hasReturned: boolean;
  isStopping: boolean;

  // Moved by `isLate`: when the first span has waited long enough. Spans before `lateNext` have.
  lateAtMs: number | undefined;
  lateNext: number;

  // Moved by `change`: wakes the caller of `next`.
  wake: () => void;
}

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

  private readonly waiting: Waiting = {
    nextSequence: 1,
    leasedBytes: 0,
    hasReturned: false,
    isStopping: false,
    lateAtMs: undefined,
    lateNext: 1,
    wake: () => {},
  };

  constructor(parts: BacklogParts) {
    this.parts = parts;
  }

  /** From now on, all spans are due at once; when none is left, the backlog is over. */
  stop(): void {
    this.waiting.isStopping = true;
    this.waiting.wake();
  }

  leased({ sequences, request }: Lease): void {
    const next = sequences.at(-1)! + 1;
    // Returned spans come first: a lease that goes beyond them leaves none of them.
    this.waiting.hasReturned &&= next <= this.waiting.nextSequence;
    advance(this.waiting, next);
    this.waiting.leasedBytes += request.length;
    this.waiting.lateAtMs = undefined;
  }

  /** Counts a lease of newer spans; those before it still wait. */
  leasedAhead({ request }: Lease): void {
    this.waiting.leasedBytes += request.length;
  }

  /** Counts a lease whose spans have all left the ring or wait again. */
  settled({ request }: Lease): void {
    this.waiting.leasedBytes -= request.length;
    this.waiting.wake();
  }

  returned(): void {
    this.waiting.hasReturned = true;
    this.waiting.wake();
  }

  /** Counts that no span before this sequence was left to be leased. */
  drained(next: number): void {
    this.waiting.hasReturned = false;
    advance(this.waiting, next);
  }

  /** Resolves when a batch is due. Spans that are `inFlight` may still be returned. */
  next(inFlight: () => number): Promise<BacklogState> {
    return nextState(this.parts, this.waiting, inFlight);
  }
}

function advance(waiting: Waiting, next: number): void {
  waiting.nextSequence = Math.max(waiting.nextSequence, next);
}

async function nextState(
  parts: BacklogParts,
  waiting: Waiting,
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
    if (waiting.hasReturned) return "due";
    if (waiting.isStopping && inFlight() === 0) return "over";
    // oxlint-disable-next-line no-await-in-loop -- what is waited for may not have come yet
    await change(parts, waiting);
  }
}

/** Reports whether spans wait that were buffered when one had waited long enough. */
function isLate(
  { clock, maxDelayMs }: BacklogParts,
  waiting: Waiting,
  { from, next }: { readonly from: number; readonly next: number },
): boolean {
  const nowMs = clock.monotonicMs();
  waiting.lateAtMs ??= nowMs + maxDelayMs;
  if (nowMs >= waiting.lateAtMs) waiting.lateNext = next;
  return from < waiting.lateNext;
}

/** Waits until a span arrives or is returned, or until the oldest has waited long enough. */
async function change({ arrivals, buffer, clock }: BacklogParts, waiting: Waiting): Promise<void> {
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
