import { expect, test } from "bun:test";
import { HashIndex } from "../../../src/application/arrivals/hash-index.ts";

test("a key has the values that were added under it", () => {
  const keys = new HashIndex<string>();

  keys.add(7, "a");
  keys.add(7, "b");
  keys.add(8, "c");

  expect([...(keys.valuesOf(7) ?? [])]).toEqual(["a", "b"]);
  expect([...(keys.valuesOf(8) ?? [])]).toEqual(["c"]);
});

test.each([
  { name: "nothing was added under", key: 9 },
  { name: "ends like another one", key: 0x1_0007 },
])("a key that $name has no values", ({ key }) => {
  const keys = new HashIndex<string>();

  keys.add(7, "a");

  expect(keys.valuesOf(key)).toBeUndefined();
});

test("a key that ends like a removed one keeps its values", () => {
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

test("it is empty again after its last value is removed", () => {
  const keys = new HashIndex<string>();
  const atFirst = keys.isEmpty;
  keys.add(7, "a");

  keys.remove(7, "a");

  expect([atFirst, keys.isEmpty]).toEqual([true, true]);
});
