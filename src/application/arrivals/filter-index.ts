import { type FilterKey, nameHash } from "../../domain/query/filter-key.ts";
import { filterKeys, type SpanFilter } from "../../domain/query/span-filter.ts";
import type { FieldsOf, SpanLocation } from "../../domain/query/span-matcher.ts";
import { plainNameAt } from "../../domain/wire/plain-fields.ts";
import { serviceName } from "../../domain/wire/resource.ts";
import { AttributeIndex, HashIndex, KeyedSets } from "./hash-index.ts";

/**
 * Indexes filters by their most selective condition (a trace, a name, an attribute or a service),
 * so that a span costs about as much with a thousand filters as with one. Only filters without such
 * a condition are tried on every span.
 */
export interface FilterIndex<IndexedFilter> {
  readonly byTrace: HashIndex<IndexedFilter>;
  readonly byName: HashIndex<IndexedFilter>;
  readonly byAttribute: AttributeIndex<IndexedFilter>;
  readonly byService: KeyedSets<string, IndexedFilter>;
  readonly byNothing: KeyedSets<null, IndexedFilter>;
}

/**
 * Limits the filters in a bucket, and so the filters tried on a span. A filter whose bucket is full
 * may use the bucket of its next key.
 */
export const MAX_FOUND_TOGETHER = 64;

export function createFilterIndex<IndexedFilter>(): FilterIndex<IndexedFilter> {
  return {
    byTrace: new HashIndex(),
    byName: new HashIndex(),
    byAttribute: new AttributeIndex(),
    byService: new KeyedSets(),
    byNothing: new KeyedSets(),
  };
}

/**
 * Adds a filter. Returns a function that removes it, to be called once; undefined if the buckets of
 * all its keys are full, and so is the bucket of filters without a key.
 */
export function addFilter<IndexedFilter>(
  index: FilterIndex<IndexedFilter>,
  filter: SpanFilter,
  indexed: IndexedFilter,
): (() => void) | undefined {
  const buckets = filterKeys(filter).map((key) => bucketOf(index, key));
  buckets.push(bucketAt(index.byNothing, null));
  const bucket = buckets.find(({ count }) => count() < MAX_FOUND_TOGETHER);
  bucket?.add(indexed);
  return bucket && (() => bucket.remove(indexed));
}

/** Holds the filters that share a key. */
interface Bucket<IndexedFilter> {
  readonly count: () => number;
  readonly add: (indexed: IndexedFilter) => void;
  readonly remove: (indexed: IndexedFilter) => void;
}

function bucketOf<IndexedFilter>(
  { byTrace, byName, byAttribute, byService }: FilterIndex<IndexedFilter>,
  key: FilterKey,
): Bucket<IndexedFilter> {
  switch (key.on) {
    case "trace_id":
      return bucketAt(byTrace, key.tail);
    case "name":
      return bucketAt(byName, key.hash);
    case "attribute":
      return bucketAt(byAttribute, key);
    case "service":
      return bucketAt(byService, key.value);
  }
}

interface KeyedStore<Key, IndexedFilter> {
  countAt(key: Key): number;
  add(key: Key, indexed: IndexedFilter): void;
  remove(key: Key, indexed: IndexedFilter): void;
}

function bucketAt<Key, IndexedFilter>(
  keyed: KeyedStore<Key, IndexedFilter>,
  key: Key,
): Bucket<IndexedFilter> {
  return {
    count: () => keyed.countAt(key),
    add: (indexed) => keyed.add(key, indexed),
    remove: (indexed) => keyed.remove(key, indexed),
  };
}

/** Holds the state of one search over spans that arrived together. */
export interface FilterSearch<IndexedFilter> {
  readonly index: FilterIndex<IndexedFilter>;
  readonly fieldsOf: FieldsOf;
  /** Whether the wire walk found every span plain. */
  readonly arePlain: boolean;
  /** Receives the filters that may match a span; some of them more than once. */
  readonly found: (filters: ReadonlySet<IndexedFilter>) => void;
  /** The spans of a resource are adjacent, so its filters are looked up once for all of them. */
  resourceOffset: number;
  ofResource: ReadonlySet<IndexedFilter>[];
}

export function beginSearch<IndexedFilter>(
  search: Omit<FilterSearch<IndexedFilter>, "resourceOffset" | "ofResource">,
): FilterSearch<IndexedFilter> {
  // Offsets are never negative.
  return { ...search, resourceOffset: -1, ofResource: [] };
}

export function findFilters<IndexedFilter>(
  search: FilterSearch<IndexedFilter>,
  location: SpanLocation,
): void {
  const { found } = search;
  const { byTrace, byName, byAttribute, byNothing } = search.index;
  const ofTrace = byTrace.isEmpty ? undefined : byTrace.valuesOf(location.traceTail);
  if (ofTrace !== undefined) found(ofTrace);
  const ofName = byName.isEmpty ? undefined : byName.valuesOf(nameHashOf(search, location));
  if (ofName !== undefined) found(ofName);
  if (!byAttribute.isEmpty) byAttribute.ofSpan(location, found);
  if (search.resourceOffset !== location.resourceOffset) findOfResource(search, location);
  for (const filters of search.ofResource) found(filters);
  const ofNothing = byNothing.isEmpty ? undefined : byNothing.valuesOf(null);
  if (ofNothing !== undefined) found(ofNothing);
}

function findOfResource<IndexedFilter>(
  search: FilterSearch<IndexedFilter>,
  location: SpanLocation,
): void {
  const { byAttribute, byService } = search.index;
  const { bytes, resourceOffset, resourceLength } = location;
  const ofResource: ReadonlySet<IndexedFilter>[] = [];
  search.resourceOffset = resourceOffset;
  search.ofResource = ofResource;
  if (!byAttribute.isEmpty)
    byAttribute.ofResource(location, (found) => void ofResource.push(found));
  if (byService.isEmpty) return;
  const ofService = byService.valuesOf(serviceName(bytes, resourceOffset, resourceLength));
  if (ofService !== undefined) ofResource.push(ofService);
}

/** Returns the hash of a name: a few loads for a plain span, a full read for any other. */
function nameHashOf<IndexedFilter>(
  { arePlain, fieldsOf }: FilterSearch<IndexedFilter>,
  location: SpanLocation,
): number {
  const { bytes, spanOffset, spanLength } = location;
  const at = arePlain ? plainNameAt(bytes, spanOffset, spanLength) : 0;
  if (at > 0) return nameHash(bytes, at + 1, at + 1 + bytes[at]!);
  const { nameStart, nameEnd } = fieldsOf(location);
  return nameHash(bytes, nameStart, nameEnd);
}
