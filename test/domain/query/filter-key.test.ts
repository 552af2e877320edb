import { expect, test } from "bun:test";
import {
  filterKey,
  nameHash,
  traceTail,
  wantedTraceTail,
} from "../../../src/domain/query/filter-key.ts";
import type { SpanCondition } from "../../../src/domain/query/span-filter.ts";

const hashOf = (name: string) => {
  const bytes = new TextEncoder().encode(name);
  return nameHash(bytes, 0, bytes.length);
};

const service: SpanCondition = { on: "service", value: "shop" };
const name: SpanCondition = { on: "name", value: "GET /" };
const traceId: SpanCondition = { on: "trace_id", value: "0102030405060708090a0b0c0d0e0ff0" };
const kind: SpanCondition = { on: "kind", value: 2 };

const onTrace = { on: "trace_id", tail: 0xf00f_0e0d } as const;
const onName = { on: "name", hash: hashOf("GET /") } as const;

test.each([
  { has: "nothing", filter: [], key: undefined },
  { has: "no equality that is a key", filter: [kind], key: undefined },
  { has: "a service", filter: [kind, service], key: { on: "service", value: "shop" } as const },
  { has: "a name and a service", filter: [service, name], key: onName },
  { has: "a trace id behind all others", filter: [service, name, traceId], key: onTrace },
  { has: "two names", filter: [name, { on: "name", value: "x" } as const], key: onName },
])("of a filter that has $has the key is the most telling one", ({ filter, key }) => {
  expect(filterKey(filter)).toEqual(key);
});

test.each([
  { differ: "in their first letter", one: "GET /orders", other: "PET /orders" },
  { differ: "in the middle", one: "GET /orders", other: "GET /arders" },
  { differ: "in their last letter", one: "order 1", other: "order 2" },
  { differ: "in length", one: "aaaaaaaa", other: "aaaaaaaaa" },
  { differ: "and are short", one: "ab", other: "ba" },
  { differ: "in being there at all", one: "", other: "a" },
])("names that differ $differ have different hashes", ({ one, other }) => {
  expect(hashOf(one)).not.toBe(hashOf(other));
});

test("the hashes of ten thousand numbered names are spread over 16 bits", () => {
  const hashes = Array.from({ length: 10_000 }, (_, index) => hashOf(`order ${index}`));

  expect(new Set(hashes).size).toBe(10_000);
  expect(new Set(hashes.map((hash) => hash & 0xffff)).size).toBeGreaterThan(5_000);
  expect(hashes.every((hash) => hash >= 0 && hash < 2 ** 32)).toBe(true);
});

test("the hash of a name is that of its bytes, whatever lies around them", () => {
  const bytes = new TextEncoder().encode("-GET /-");

  expect(nameHash(bytes, 1, bytes.length - 1)).toBe(hashOf("GET /"));
});

test("the tail of a trace id is its last four bytes, the first of them lowest", () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, index) => 0xf0 + index);

  expect(traceTail(bytes, 0)).toBe(0xfffe_fdfc);
  expect(wantedTraceTail([kind, traceId])).toBe(0xf00f_0e0d);
  expect(wantedTraceTail([kind])).toBeUndefined();
});
