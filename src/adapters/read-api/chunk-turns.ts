/** A chunk has about 64 KiB, so writing so many takes a few milliseconds. */
const CHUNKS_A_TURN = 8;

/**
 * Spreads the chunks of all answers over turns of the event loop. With one chunk of each answer in
 * a turn, 64 tails of large spans would take 50 ms each time.
 */
export class ChunkTurns {
  // Moved by `next` and each turn.
  private readonly waiting: (() => void)[] = [];

  /** Resolves in a later turn, in the order of the calls. */
  next(): Promise<void> {
    if (this.waiting.length === 0) setImmediate(() => this.release());
    return new Promise((resolve) => void this.waiting.push(resolve));
  }

  private release(): void {
    for (const resolve of this.waiting.splice(0, CHUNKS_A_TURN)) resolve();
    if (this.waiting.length > 0) setImmediate(() => this.release());
  }
}
