import {
  type AttributeHashes,
  nameHash,
  otherHash,
  pairHash,
} from "../../domain/query/filter-key.ts";
import type { SpanLocation } from "../../domain/query/span-matcher.ts";
import {
  createEncodedAttribute,
  type EncodedAttribute,
  nextSpanAttribute,
  NO_PLAIN_KEY,
  plainKeyEnd,
  plainTextAt,
  readAttribute,
} from "../../domain/wire/attribute.ts";
import { STRING_VALUE } from "../../domain/wire/otlp-tags.ts";
import { type FieldScan, point, scanFrom } from "../../domain/wire/field-scan.ts";
import { createResourceScan, nextAttribute, scanResource } from "../../domain/wire/resource.ts";

const LOW_BITS = 0xffff;

/**
 * Maps 32-bit hashes to sets of values. Nearly every lookup finds nothing after one load, because
 * no key in the index ends in the same 16 bits.
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

  /** The value must have been added under this key, and not removed since. */
  remove(key: number, value: Value): void {
    this.sets.remove(key, value);
    this.countByLowBits[key & LOW_BITS]! -= 1;
  }
}

/**
 * Maps keys to sets of values.
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

type Report<Value> = (values: ReadonlySet<Value>) => void;

/** A plain key has a one-byte length. */
const MAX_PLAIN_KEY_BYTES = 127;

/** Hashes are never negative. */
const NOT_WANTED = -1;

/**
 * Maps attributes to sets of values. The attributes of a span are read once, whatever the size of
 * the index. Usually the key, or even its length, is enough to rule out a match.
 */
export class AttributeIndex<Value> {
  // Moved by `add` and `remove`.
  private readonly byKey = new HashIndex<Value>();
  private readonly countByKeyBytes = new Uint32Array(MAX_PLAIN_KEY_BYTES + 1);
  private readonly byPair = new HashIndex<Value>();

  // Scratch space, so that lookups do not allocate.
  private readonly span = scanFrom(new Uint8Array(0), 0, 0);
  private readonly resource = createResourceScan();
  private readonly read = createEncodedAttribute();

  get isEmpty(): boolean {
    return this.byKey.isEmpty;
  }

  /** Returns the size of the largest set that would hold a value with these hashes. */
  countAt({ pairHashes }: AttributeHashes): number {
    return Math.max(...pairHashes.map((hash) => this.byPair.countAt(hash)));
  }

  add({ keyBytes, keyHash, pairHashes }: AttributeHashes, value: Value): void {
    this.byKey.add(keyHash, value);
    // A longer key is out of range and not counted, because no plain attribute has one.
    this.countByKeyBytes[keyBytes]! += 1;
    for (const hash of pairHashes) this.byPair.add(hash, value);
  }

  /** The value must have been added under these hashes, and not removed since. */
  remove({ keyBytes, keyHash, pairHashes }: AttributeHashes, value: Value): void {
    this.byKey.remove(keyHash, value);
    this.countByKeyBytes[keyBytes]! -= 1;
    for (const hash of pairHashes) this.byPair.remove(hash, value);
  }

  /** Reports the sets that match the attributes of a span; some of them more than once. */
  ofSpan({ bytes, spanOffset, spanLength }: SpanLocation, found: Report<Value>): void {
    const { span } = this;
    point(span, bytes, spanOffset, spanOffset + spanLength);
    while (nextSpanAttribute(span)) this.report(span, found);
  }

  /** Reports the sets that match the attributes of the span's resource. */
  ofResource({ bytes, resourceOffset, resourceLength }: SpanLocation, found: Report<Value>): void {
    const { resource } = this;
    scanResource(resource, bytes, resourceOffset, resourceLength);
    while (nextAttribute(resource)) this.report(resource.attributes, found);
  }

  private report(attribute: FieldScan, found: Report<Value>): void {
    const { byKey, countByKeyBytes, read } = this;
    const hash = wantedHash({ byKey, countByKeyBytes, read }, attribute);
    const values = hash === NOT_WANTED ? undefined : this.byPair.valuesOf(hash);
    if (values !== undefined) found(values);
  }
}

interface HashParts {
  readonly byKey: HashIndex<unknown>;
  readonly countByKeyBytes: Uint32Array;
  readonly read: EncodedAttribute;
}

/**
 * Returns the hash under which an attribute's value may be indexed. It is fastest if the index
 * lacks the key, or if the value is a string; see `plainKeyEnd`.
 */
function wantedHash(
  { byKey, countByKeyBytes, read }: HashParts,
  { bytes, valueAt: start, at: end }: FieldScan,
): number {
  const keyEnd = plainKeyEnd(bytes, start, end);
  if (keyEnd === NO_PLAIN_KEY) return generalHash(read, bytes, start, end);
  if (countByKeyBytes[keyEnd - start - 2] === 0) return NOT_WANTED;
  const keyHash = nameHash(bytes, start + 2, keyEnd);
  if (byKey.valuesOf(keyHash) === undefined) return NOT_WANTED;
  const textAt = plainTextAt(bytes, keyEnd, end);
  if (textAt === 0) return generalHash(read, bytes, start, end);
  return pairHash(keyHash, nameHash(bytes, textAt, end));
}

/** Returns the hash of an attribute in any encoding. */
function generalHash(
  read: EncodedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  readAttribute(read, bytes, start, end);
  const keyHash = nameHash(bytes, read.keyStart, read.keyEnd);
  if (read.member !== STRING_VALUE) return otherHash(keyHash);
  return pairHash(keyHash, nameHash(bytes, read.valueStart, read.valueEnd));
}
