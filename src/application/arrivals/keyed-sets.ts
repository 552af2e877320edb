/**
 * Values by key, several under one.
 *
 * Invariant: no set is empty.
 */
export class KeyedSets<Key, Value> {
  private readonly sets = new Map<Key, Set<Value>>();

  get isEmpty(): boolean {
    return this.sets.size === 0;
  }

  countAt(key: Key): number {
    return this.sets.get(key)?.size ?? 0;
  }

  valuesOf(key: Key): ReadonlySet<Value> | undefined {
    return this.sets.get(key);
  }

  add(key: Key, value: Value): void {
    const set = this.sets.get(key) ?? new Set();
    this.sets.set(key, set.add(value));
  }

  remove(key: Key, value: Value): void {
    const set = this.sets.get(key);
    set?.delete(value);
    if (set?.size === 0) this.sets.delete(key);
  }
}
