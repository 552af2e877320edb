import {
  type AttributeHashes,
  nameHash,
  otherHash,
  pairHash,
} from "../../domain/query/filter-key.ts";
import type { SpanPlace } from "../../domain/query/span-matcher.ts";
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

type Found<Value> = (values: ReadonlySet<Value>) => void;

/** Its length takes one byte. */
const MAX_PLAIN_KEY_BYTES = 127;

/** No hash is below zero. */
const NOT_WANTED = -1;

/**
 * Who wants what, by an attribute. The attributes of a span are gone through once, however many
 * want one; and of nearly each its key tells that nobody does, or even the length of its key.
 */
export class AttributeIndex<Value> {
  // Moved by `add` and `remove`.
  private readonly byKey = new HashIndex<Value>();
  private readonly countByKeyBytes = new Uint32Array(MAX_PLAIN_KEY_BYTES + 1);
  private readonly byPair = new HashIndex<Value>();

  // What looking takes, so that it costs no allocation.
  private readonly span = scanFrom(new Uint8Array(0), 0, 0);
  private readonly resource = createResourceScan();
  private readonly read = createEncodedAttribute();

  get isEmpty(): boolean {
    return this.byKey.isEmpty;
  }

  /** Of the values that would be found together with one that is added under these hashes. */
  countAt({ pairHashes }: AttributeHashes): number {
    return Math.max(...pairHashes.map((hash) => this.byPair.countAt(hash)));
  }

  add({ keyBytes, keyHash, pairHashes }: AttributeHashes, value: Value): void {
    this.byKey.add(keyHash, value);
    // Of a longer key nothing is counted: no plain attribute has one.
    this.countByKeyBytes[keyBytes]! += 1;
    for (const hash of pairHashes) this.byPair.add(hash, value);
  }

  /** `value` was added under these hashes, and has not been removed since. */
  remove({ keyBytes, keyHash, pairHashes }: AttributeHashes, value: Value): void {
    this.byKey.remove(keyHash, value);
    this.countByKeyBytes[keyBytes]! -= 1;
    for (const hash of pairHashes) this.byPair.remove(hash, value);
  }

  /** Tells of those who may want the span for its own attributes; of some of them several times. */
  ofSpan({ bytes, spanOffset, spanLength }: SpanPlace, found: Found<Value>): void {
    const { span } = this;
    point(span, bytes, spanOffset, spanOffset + spanLength);
    while (nextSpanAttribute(span)) this.tell(span, found);
  }

  /** The same for the attributes of the resource around it. */
  ofResource({ bytes, resourceOffset, resourceLength }: SpanPlace, found: Found<Value>): void {
    const { resource } = this;
    scanResource(resource, bytes, resourceOffset, resourceLength);
    while (nextAttribute(resource)) this.tell(resource.attributes, found);
  }

  private tell(attribute: FieldScan, found: Found<Value>): void {
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

/** The bet: nobody wants this key, or else its value is a text; see `plainKeyEnd`. */
function wantedHash(
  { byKey, countByKeyBytes, read }: HashParts,
  { bytes, valueAt: start, at: end }: FieldScan,
): number {
  const keyEnd = plainKeyEnd(bytes, start, end);
  if (keyEnd === NO_PLAIN_KEY) return oddHash(read, bytes, start, end);
  if (countByKeyBytes[keyEnd - start - 2] === 0) return NOT_WANTED;
  const keyHash = nameHash(bytes, start + 2, keyEnd);
  if (byKey.valuesOf(keyHash) === undefined) return NOT_WANTED;
  const textAt = plainTextAt(bytes, keyEnd, end);
  if (textAt === 0) return oddHash(read, bytes, start, end);
  return pairHash(keyHash, nameHash(bytes, textAt, end));
}

/** Of an attribute in whatever form. */
function oddHash(read: EncodedAttribute, bytes: Uint8Array, start: number, end: number): number {
  readAttribute(read, bytes, start, end);
  const keyHash = nameHash(bytes, read.keyStart, read.keyEnd);
  if (read.member !== STRING_VALUE) return otherHash(keyHash);
  return pairHash(keyHash, nameHash(bytes, read.valueStart, read.valueEnd));
}
