import { assert } from "../../domain/assert.ts";

/**
 * Places for calls that last as long as their client likes, over the whole process.
 *
 * Invariant: 0 <= taken <= capacity.
 */
export class CallSlots {
  readonly capacity: number;
  taken = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** False when all are taken; otherwise `free` is to be called once. */
  take(): boolean {
    if (this.taken === this.capacity) return false;
    this.taken += 1;
    return true;
  }

  free(): void {
    assert(this.taken > 0, "a slot that is freed was taken");
    this.taken -= 1;
  }
}
