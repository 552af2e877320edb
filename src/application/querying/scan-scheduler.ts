/**
 * Gives turns to everyone who looks through the ring: one turn in each round of the event loop,
 * whoever's it is, in the order in which they were asked for. So a hundred who look take no more of
 * the thread from those who append than one does; they wait longer instead.
 *
 * Invariant: while `isTaken`, a round that gives the next turn is due.
 */
export class ScanScheduler {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;

  /** Undefined when the turn is had at once: nobody else has had one in this round. */
  next(): Promise<void> | undefined {
    if (this.isTaken) return new Promise((resolve) => void this.waiting.push(resolve));
    this.isTaken = true;
    setImmediate(() => this.pass());
    return undefined;
  }

  private pass(): void {
    const resolve = this.waiting.shift();
    this.isTaken = resolve !== undefined;
    if (this.isTaken) setImmediate(() => this.pass());
    resolve?.();
  }
}
