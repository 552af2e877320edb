import type { FairTurns, SteppedWork } from "../../listening/fair-turns.ts";

/**
 * Decides when requests begin. The first one of a sender in a turn of the event loop begins at
 * once; further ones begin while the turn has time left, or in a later turn. So a sender with a
 * thousand connections does not delay one that sends a request now and then, however long the turn
 * has taken.
 */
export class SenderTurns {
  // Fixed at construction.
  private readonly turns: Pick<FairTurns, "hasTime" | "queue">;

  // Moved by `mayBegin` and the end of the turn.
  private readonly begun = new Set<string>();

  constructor(turns: Pick<FairTurns, "hasTime" | "queue">) {
    this.turns = turns;
  }

  mayBegin(sender: string): boolean {
    // Always called, because the first call in a turn begins it.
    const hasTime = this.turns.hasTime();
    return this.isFirstOf(sender) || hasTime;
  }

  /** Does the work in a later turn. */
  queue(work: SteppedWork): void {
    this.turns.queue(work);
  }

  private isFirstOf(sender: string): boolean {
    if (this.begun.has(sender)) return false;
    if (this.begun.size === 0) setImmediate(() => this.begun.clear());
    this.begun.add(sender);
    return true;
  }
}
