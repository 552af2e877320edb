/**
 * Bounds how many requests of a kind are under way at a time.
 *
 * Invariant: 0 <= takenCount <= limit.
 */
export class Semaphore {
  // Fixed at construction.
  readonly limit: number;

  // Moved by `take`, and by what it returns.
  takenCount = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The function that gives the place back, to be called once; undefined when all are taken. */
  take(): (() => void) | undefined {
    if (this.takenCount === this.limit) return undefined;
    this.takenCount += 1;
    return () => void (this.takenCount -= 1);
  }
}
