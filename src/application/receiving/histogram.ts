import { assert } from "../../domain/assert.ts";

/**
 * How often a value fell between two bounds, in an array of fixed size: an observation is a search
 * among a dozen bounds and two additions.
 *
 * Invariant: the counts add up to the number of observations; `counts[i]` is of those above
 * `bounds[i - 1]` and not above `bounds[i]`, the last one of those above all bounds.
 */
export class Histogram {
  // Fixed at construction.
  readonly bounds: readonly number[];

  // Moved by `observe`.
  readonly counts: Float64Array;
  sum = 0;

  /** `bounds` ascend. */
  constructor(bounds: readonly number[]) {
    const isAscending = bounds.every((bound, index) => index === 0 || bound > bounds[index - 1]!);
    assert(isAscending, "the bounds of a histogram ascend");
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index += 1;
    this.counts[index]! += 1;
    this.sum += value;
  }
}
