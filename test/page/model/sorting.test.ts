import { expect, test } from "bun:test";
import {
  nextSort,
  sorted,
  sortOf,
  sortText,
  withParameter,
} from "../../../src/page/model/sorting.ts";

const USUAL = { column: "spans", isDescending: true };
const CHOICE = { parameter: "sort", columns: ["p95"], usual: USUAL };

function itself(key: string | number): string | number {
  return key;
}

const TEXTS: readonly (string | number)[] = ["a", "b", "C"];
const NUMBERS: readonly (string | number)[] = [1, 2, 10];

test.each([
  { name: "numbers", ascending: NUMBERS },
  { name: "texts", ascending: TEXTS },
])("$name are sorted in both directions", ({ ascending }) => {
  const mixed = [ascending[1]!, ascending[2]!, ascending[0]!];

  expect(sorted(mixed, itself, false)).toEqual([...ascending]);
  expect(sorted(mixed, itself, true)).toEqual(ascending.toReversed());
});

test("unknown values come last in both directions", () => {
  const keys = [null, 2, null, 1];

  expect(sorted(keys, (key) => key, false)).toEqual([1, 2, null, null]);
  expect(sorted(keys, (key) => key, true)).toEqual([2, 1, null, null]);
});

function digitOf(row: string): number {
  return Number(row[1]);
}

test("rows with equal keys stay in order, so that a live table does not flicker", () => {
  const rows = ["a1", "b2", "c1", "d2"];

  expect(sorted(rows, digitOf, true)).toEqual(["b2", "d2", "a1", "c1"]);
  expect(sorted(rows, digitOf, false)).toEqual(["a1", "c1", "b2", "d2"]);
});

test("a second click on a head turns the order round", () => {
  const once = nextSort(USUAL, "name", false);

  expect(once).toEqual({ column: "name", isDescending: false });
  expect(nextSort(once, "name", false)).toEqual({ column: "name", isDescending: true });
  expect(nextSort(once, "p95", true)).toEqual({ column: "p95", isDescending: true });
});

test("an order survives its URL, and an unknown column is ignored", () => {
  for (const sort of [
    { column: "p95", isDescending: true },
    { column: "p95", isDescending: false },
  ])
    expect(sortOf(withParameter("", "sort", sortText(sort)), CHOICE)).toEqual(sort);

  expect(sortOf("sort=-password", CHOICE)).toEqual(USUAL);
  expect(sortOf("", CHOICE)).toEqual(USUAL);
});

test("a parameter is replaced, added and removed, and the others stay", () => {
  expect(withParameter("a=1&b=2", "a", "3")).toBe("?a=3&b=2");
  expect(withParameter("a=1", "b", "x y")).toBe("?a=1&b=x+y");
  expect(withParameter("a=1", "a", undefined)).toBe("");
});
