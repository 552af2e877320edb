import { assert } from "../../domain/assert.ts";

/**
 * Limits the number of concurrent requests of one kind.
 *
 * Invariant: 0 <= takenCount <= limit.
 */
export class Semaphore {
  // Fixed at construction.
  readonly limit: number;

  // Moved by `take`, and by the functions it returns.
  takenCount = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /**
   * Takes a permit. Returns a function that releases it, to be called once; undefined if none is
   * free.
   */
  take(): (() => void) | undefined {
    if (this.takenCount === this.limit) return undefined;
    this.takenCount += 1;
    return () => this.release();
  }

  private release(): void {
    assert(this.takenCount > 0, "a released permit was taken");
    this.takenCount -= 1;
  }
}
