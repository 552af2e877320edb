import { expect, test } from "bun:test";
import { KeyedSets } from "../../../src/application/arrivals/hash-index.ts";

test("a key has the values that were added under it, and no other key has them", () => {
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
