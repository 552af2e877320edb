import { KeyedSets } from "./keyed-sets.ts";

const LOW_BITS = 0xffff;

/**
 * Who wants what, by keys that are 32-bit numbers. Nearly every key that is asked for is wanted by
 * nobody, and that is seen with one load: no key that is wanted ends in the same 16 bits.
 *
 * Invariant: `countByLowBits` sums to the number of values in `sets`.
 */
export class HashIndex<Value> {
  private readonly countByLowBits = new Uint32Array(LOW_BITS + 1);
  private readonly sets = new KeyedSets<number, Value>();

  get isEmpty(): boolean {
    return this.sets.isEmpty;
  }

  countAt(key: number): number {
    return this.sets.countAt(key);
  }

  valuesOf(key: number): ReadonlySet<Value> | undefined {
    return this.countByLowBits[key & LOW_BITS] === 0 ? undefined : this.sets.valuesOf(key);
  }

  add(key: number, value: Value): void {
    this.sets.add(key, value);
    this.countByLowBits[key & LOW_BITS]! += 1;
  }

  /** `value` was added under this key, and has not been removed since. */
  remove(key: number, value: Value): void {
    this.sets.remove(key, value);
    this.countByLowBits[key & LOW_BITS]! -= 1;
  }
}
