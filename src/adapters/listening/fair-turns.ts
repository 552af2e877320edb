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
 * Shares the event loop among senders and their connections.
 *
 * Bun reads all that a socket has before it turns to the next one, and a peer can have sent enough
 * for seconds. So work is done at once only while its turn of the event loop has time left.
 * Otherwise it waits in a queue, in which senders take turns: a sender with many connections delays
 * the others no more than one with a single connection. Work that has not had a step yet comes
 * first, so that a small request does not wait for those who have sent more.
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

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Reports whether this turn has time left. The first call in a turn begins it. */
  hasTime(): boolean {
    if (this.endMs === undefined) this.begin();
    return this.isBeforeEnd() && !this.isWorkWaiting();
  }

  /** Does the work in steps, in later turns. */
  queue(work: SteppedWork): void {
    if (this.endMs === undefined) this.begin();
    this.first.add(work);
  }

  private begin(): void {
    this.endMs = this.clock.monotonicMs() + TURN_MS;
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
