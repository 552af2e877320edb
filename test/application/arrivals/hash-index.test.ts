import { expect, test } from "bun:test";
import {
  AttributeIndex,
  HashIndex,
  KeyedSets,
} from "../../../src/application/arrivals/hash-index.ts";
import type { AttributeHashes } from "../../../src/domain/query/filter-key.ts";
import { filterKeys } from "../../../src/domain/query/span-filter.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";
import { attribute, request, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField, wideBytesField } from "../../support/requests/wire-bytes.ts";

test("a key has the values that were added under it", () => {
  const keys = new HashIndex<string>();

  keys.add(7, "a");
  keys.add(7, "b");
  keys.add(8, "c");

  expect([...(keys.valuesOf(7) ?? [])]).toEqual(["a", "b"]);
  expect([...(keys.valuesOf(8) ?? [])]).toEqual(["c"]);
});

test.each([
  { name: "was never added", key: 9 },
  { name: "only shares its low bits with another one", key: 0x1_0007 },
])("a key that $name has no values", ({ key }) => {
  const keys = new HashIndex<string>();

  keys.add(7, "a");

  expect(keys.valuesOf(key)).toBeUndefined();
});

test("a key that shares its low bits with a removed one keeps its values", () => {
  const keys = new HashIndex<string>();
  keys.add(7, "a");
  keys.add(0x1_0007, "b");

  keys.remove(7, "a");

  expect(keys.valuesOf(7)).toBeUndefined();
  expect([...(keys.valuesOf(0x1_0007) ?? [])]).toEqual(["b"]);
});

test("one of two values of a key can be removed", () => {
  const keys = new HashIndex<string>();
  keys.add(7, "a");
  keys.add(7, "b");

  keys.remove(7, "a");

  expect([...(keys.valuesOf(7) ?? [])]).toEqual(["b"]);
  expect(keys.isEmpty).toBe(false);
});

test("an index is empty again after its last value is removed", () => {
  const keys = new HashIndex<string>();
  const atFirst = keys.isEmpty;
  keys.add(7, "a");

  keys.remove(7, "a");

  expect([atFirst, keys.isEmpty]).toEqual([true, true]);
});

test("each key of a set has its own values and their count", () => {
  const sets = new KeyedSets<string, number>();

  sets.add("a", 1);
  sets.add("a", 2);
  sets.add("b", 3);

  expect([...(sets.valuesOf("a") ?? [])]).toEqual([1, 2]);
  expect([sets.countAt("a"), sets.countAt("b"), sets.countAt("c")]).toEqual([2, 1, 0]);
  expect(sets.valuesOf("c")).toBeUndefined();
});

test("a key is removed with its last value", () => {
  const sets = new KeyedSets<string, number>();
  sets.add("a", 1);
  sets.add("a", 2);

  sets.remove("a", 1);
  const whileOneIsLeft = [sets.countAt("a"), sets.isEmpty];
  sets.remove("a", 2);

  expect(whileOneIsLeft).toEqual([1, false]);
  expect([sets.valuesOf("a"), sets.isEmpty]).toEqual([undefined, true]);
});

test("removing an absent value changes nothing", () => {
  const sets = new KeyedSets<string, number>();
  sets.add("a", 1);

  sets.remove("a", 2);
  sets.remove("b", 1);

  expect([...(sets.valuesOf("a") ?? [])]).toEqual([1]);
});

function hashesOf(key: string, value: string): AttributeHashes {
  const [found] = filterKeys([{ on: "attribute", key, value }]);
  if (found?.on !== "attribute") throw new Error("an attribute is a key");
  return found;
}

/** Returns the location of a span with its own attributes, in a resource with those of `around`. */
function locationOf({ own = [] as number[][], around = [] as number[][] }) {
  const resource = around.map((body) => bytesField(1, body));
  const fields = own.map((body) => bytesField(9, body));
  const bytes = request(
    bytesField(1, bytesField(1, ...resource), bytesField(2, span(1, ...fields))),
  );
  return locationsOf(bytes)[0]!;
}

const INT = [...bytesField(1, "code"), ...bytesField(2, varintField(3, 200))];
/** An attribute whose key length is encoded in more bytes than necessary. */
const WIDE = [
  ...wideBytesField(1, { tag: 1, length: 2 }, [0x6b]),
  ...bytesField(2, bytesField(1, "a")),
];

test.each<{ name: string; own: number[][]; key: string; value: string; isFound: boolean }>([
  { name: "a text", own: [attribute("k", "a")], key: "k", value: "a", isFound: true },
  { name: "another text", own: [attribute("k", "b")], key: "k", value: "a", isFound: false },
  { name: "another key", own: [attribute("j", "a")], key: "k", value: "a", isFound: false },
  { name: "the second", own: [INT, attribute("k", "a")], key: "k", value: "a", isFound: true },
  { name: "a text with an overlong length", own: [WIDE], key: "k", value: "a", isFound: true },
  { name: "a number", own: [INT], key: "code", value: "200", isFound: true },
  { name: "a number that should be a text", own: [INT], key: "code", value: "x", isFound: false },
])("a value is found by its attribute: $name", ({ own, key, value, isFound }) => {
  const index = new AttributeIndex<string>();
  index.add(hashesOf(key, value), "filter");
  const [ofSpan, ofResource, ofOther] = [[], [], []] as string[][];

  index.ofSpan(locationOf({ own }), (found) => ofSpan!.push(...found));
  index.ofResource(locationOf({ around: own }), (found) => ofResource!.push(...found));
  index.ofSpan(locationOf({ around: own }), (found) => ofOther!.push(...found));

  const found = isFound ? ["filter"] : [];
  expect([ofSpan, ofResource, ofOther]).toEqual([found, found, []]);
});

test("values under the same attribute are found together, and counted", () => {
  const index = new AttributeIndex<string>();
  for (const filter of ["one", "other"]) index.add(hashesOf("k", "200"), filter);
  const found: string[] = [];

  index.ofSpan(locationOf({ own: [attribute("k", "200")] }), (each) => found.push(...each));

  expect(found).toEqual(["one", "other"]);
  const counts = ["200", "true", "text"].map((value) => index.countAt(hashesOf("k", value)));
  // A value that may be a number is found by any number and any boolean.
  expect(counts).toEqual([2, 2, 0]);
});

test("a removed value is not found", () => {
  const index = new AttributeIndex<string>();
  index.add(hashesOf("k", "200"), "filter");
  const before = index.isEmpty;
  const found: string[] = [];

  index.remove(hashesOf("k", "200"), "filter");
  index.ofSpan(locationOf({ own: [attribute("k", "200")] }), (each) => found.push(...each));

  expect([before, index.isEmpty, found]).toEqual([false, true, []]);
});
