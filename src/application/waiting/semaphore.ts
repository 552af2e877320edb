import { assert } from "../../domain/assert.ts";

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

  /** Returns the function that releases the permit, to call once; undefined if none is free. */
  take(): (() => void) | undefined {
    if (this.takenCount === this.limit) return undefined;
    this.takenCount += 1;
    return () => this.release();
  }

  private release(): void {
    assert(this.takenCount > 0, "a permit that is released was taken");
    this.takenCount -= 1;
  }
}
