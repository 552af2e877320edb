import type { FairTurns, SteppedWork } from "./fair-turns.ts";

/** The senders that may go beyond the time of one turn, so that thousands do not prolong it. */
const MAX_FIRST = 32;

/**
 * Decides when requests begin, and other work of a few milliseconds at most. The first one of a
 * sender in a turn of the event loop begins at once; further ones begin while the turn has time
 * left, or in a later turn. So a sender with a thousand connections does not delay one that sends a
 * request now and then, however long the turn has taken.
 */
export class SenderTurns {
  // Fixed at construction.
  private readonly turns: Pick<FairTurns, "hasTime" | "queue">;

  // Moved by `mayBegin` and the end of the turn.
  private readonly begun = new Set<string>();

  constructor(turns: Pick<FairTurns, "hasTime" | "queue">) {
    this.turns = turns;
  }

  /** Reports whether a request may begin at once. */
  mayBegin(sender: string): boolean {
    // Always called, because the first call in a turn begins it.
    const hasTime = this.turns.hasTime();
    return this.isFirstOf(sender) || hasTime;
  }

  /**
   * Reports whether a step may be done at once: while the turn has time, and then one more for each
   * sender. Reads the sender only if the turn has no time left.
   */
  mayStep(work: Pick<SteppedWork, "sender">): boolean {
    return this.turns.hasTime() || this.isFirstOf(work.sender);
  }

  /** Does the work in a later turn. */
  queue(work: SteppedWork): void {
    this.turns.queue(work);
  }

  private isFirstOf(sender: string): boolean {
    if (this.begun.has(sender) || this.begun.size >= MAX_FIRST) return false;
    if (this.begun.size === 0) setImmediate(() => this.begun.clear());
    this.begun.add(sender);
    return true;
  }
}
