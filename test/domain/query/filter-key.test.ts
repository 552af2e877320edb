import { expect, test } from "bun:test";
import { nameHash, otherHash, pairHash, traceTail } from "../../../src/domain/query/filter-key.ts";
import {
  filterKeys,
  filterText,
  type SpanCondition,
  type SpanFilter,
} from "../../../src/domain/query/span-filter.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";

const hashOf = (name: string) => {
  const bytes = new TextEncoder().encode(name);
  return nameHash(bytes, 0, bytes.length);
};

const service: SpanCondition = { on: "service", value: "shop" };
const name: SpanCondition = { on: "name", value: "GET /" };
const traceId: SpanCondition = { on: "trace_id", value: "0102030405060708090a0b0c0d0e0ff0" };
const kind: SpanCondition = { on: "kind", value: 2 };
const attributed = (value: string): SpanCondition => ({ on: "attribute", key: "test.id", value });

const onTrace = { on: "trace_id", tail: 0xf00f_0e0d } as const;
const onName = { on: "name", hash: hashOf("GET /") } as const;

const onService = { on: "service", value: "shop" } as const;
const keyHash = hashOf("test.id");
const onText = {
  on: "attribute",
  keyBytes: 7,
  keyHash,
  pairHashes: [pairHash(keyHash, hashOf("a"))],
} as const;

test.each<{ has: string; filter: SpanFilter; keys: ReturnType<typeof filterKeys> }>([
  { has: "no condition", filter: [], keys: [] },
  { has: "no condition with a key", filter: [kind], keys: [] },
  { has: "a service", filter: [kind, service], keys: [onService] },
  { has: "a name and a service", filter: [service, name], keys: [onName, onService] },
  { has: "an attribute", filter: [service, attributed("a")], keys: [onText, onService] },
  {
    has: "one condition of each kind",
    filter: [service, attributed("a"), name, traceId],
    keys: [onTrace, onName, onText, onService],
  },
  { has: "two names", filter: [name, { on: "name", value: "x" }], keys: [onName] },
])("a filter with $has has keys, the most selective first", ({ filter, keys }) => {
  expect(filterKeys(filter)).toEqual(keys);
});

test.each(["200", "-0.5", "2e2", "NaN", "true"])(
  "an attribute condition with %s may match values other than strings",
  (value) => {
    const pairHashes = [pairHash(keyHash, hashOf(value)), otherHash(keyHash)];

    expect(filterKeys([attributed(value)])).toEqual([
      { on: "attribute", keyBytes: 7, keyHash, pairHashes },
    ]);
  },
);

test("filters have equal texts if they have equal conditions in the same order", () => {
  const [one, other] = [attributed("a"), attributed("b")];
  const least: SpanCondition = { on: "min_duration", durationNano: 1n };
  const filters = [[], [one], [other], [one, other], [other, one], [kind], [least], [name, kind]];

  const texts = filters.map((filter) => filterText(filter));

  expect(new Set(texts).size).toBe(filters.length);
  expect(filters.map((filter) => filterText(structuredClone(filter)))).toEqual(texts);
});

test.each([
  { differ: "in their first letter", one: "GET /orders", other: "PET /orders" },
  { differ: "in the middle", one: "GET /orders", other: "GET /arders" },
  { differ: "in their last letter", one: "order 1", other: "order 2" },
  { differ: "in length", one: "aaaaaaaa", other: "aaaaaaaaa" },
  { differ: "and are short", one: "ab", other: "ba" },
  { differ: "in being empty", one: "", other: "a" },
])("names that differ $differ have different hashes", ({ one, other }) => {
  expect(hashOf(one)).not.toBe(hashOf(other));
});

test("the hashes of ten thousand numbered names are spread over 16 bits", () => {
  const hashes = Array.from({ length: 10_000 }, (_, index) => hashOf(`order ${index}`));

  expect(new Set(hashes).size).toBe(10_000);
  expect(new Set(hashes.map((hash) => hash & 0xffff)).size).toBeGreaterThan(5_000);
  expect(hashes.every((hash) => hash >= 0 && hash < 2 ** 32)).toBe(true);
});

test("the hash of a name depends on its own bytes only", () => {
  const bytes = new TextEncoder().encode("-GET /-");

  expect(nameHash(bytes, 1, bytes.length - 1)).toBe(hashOf("GET /"));
});

test("the tail of a trace id is its last four bytes, little endian", () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, index) => 0xf0 + index);

  expect(traceTail(bytes, 0)).toBe(0xfffe_fdfc);
  expect(compileFilter([kind, traceId]).traceTail).toBe(0xf00f_0e0d);
  expect(compileFilter([kind]).traceTail).toBeUndefined();
});
