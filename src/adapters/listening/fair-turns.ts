import type { Clock } from "../../ports/clock.ts";
import { SenderQueue } from "./sender-queue.ts";

/** Work that is done in steps, such as the bytes that a connection has sent. */
export interface SteppedWork {
  /** The address of the peer. */
  readonly sender: string;
  /** Does a step of a few milliseconds at most. Returns whether another one can follow. */
  step(): boolean;
}

/** The time for this work in one turn of the event loop. Other events have theirs after it. */
const TURN_MS = 5;

/**
 * The work that may be done in one turn although it has no time left: a millisecond of JSON at
 * most, that of 10,000 empty objects, and 0.1 ms of ordinary spans.
 */
export const SPARE_BYTES = 32 * 1024;

/**
 * Shares the event loop among senders and their connections.
 *
 * Bun reads all that a socket has before it turns to the next one, and a peer can have sent enough
 * for seconds. So work is done at once only while its turn of the event loop has time left.
 * Otherwise it waits in a queue, in which senders take turns: a sender with many connections delays
 * the others no more than one with a single connection. Work that has not had a step yet comes
 * first, so that a small request does not wait for those who have sent more.
 *
 * Work that must not wait may be done beyond this time as long as `spareBytes` are left.
 *
 * All listeners of a process share one of these, because they share the event loop.
 */
export class FairTurns {
  // Fixed at construction.
  private readonly clock: Clock;

  // Moved by the methods below.
  private readonly first = new SenderQueue<SteppedWork>();
  private readonly further = new SenderQueue<SteppedWork>();
  private endMs: number | undefined;
  /** What may be done in this turn, once `hasTime` has returned false. */
  spareBytes = SPARE_BYTES;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Reports whether this turn has time left. The first call in a turn begins it. */
  hasTime(): boolean {
    if (this.endMs === undefined) this.begin();
    return this.isBeforeEnd() && !this.isWorkWaiting();
  }

  /** Counts what is done in this turn beyond its time. */
  spend(lengthBytes: number): void {
    this.spareBytes -= lengthBytes;
  }

  /** Does the work in steps, in later turns. */
  queue(work: SteppedWork): void {
    if (this.endMs === undefined) this.begin();
    this.first.add(work);
  }

  private begin(): void {
    this.endMs = this.clock.monotonicMs() + TURN_MS;
    this.spareBytes = SPARE_BYTES;
    setImmediate(() => this.next());
  }

  private isWorkWaiting(): boolean {
    return !this.first.isEmpty || !this.further.isEmpty;
  }

  /** Begins the next turn if work is waiting. Neither queue keeps the other one waiting. */
  private next(): void {
    this.endMs = undefined;
    if (!this.isWorkWaiting()) return;
    this.begin();
    for (const waiting of [this.further, this.first]) this.stepNext(waiting);
    while (this.isWorkWaiting() && this.isBeforeEnd()) this.stepNext(this.preferred());
  }

  private isBeforeEnd(): boolean {
    return this.clock.monotonicMs() < this.endMs!;
  }

  private preferred(): SenderQueue<SteppedWork> {
    return this.first.isEmpty ? this.further : this.first;
  }

  private stepNext(waiting: SenderQueue<SteppedWork>): void {
    const work = waiting.take();
    if (work?.step() === true) this.further.add(work);
  }
}
