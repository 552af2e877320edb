import { expect, test } from "bun:test";
import { CONDITION_NAMES } from "../../../src/domain/query/span-filter.ts";
import {
  type Chip,
  chipsOf,
  CONDITIONS,
  labelOf,
  queryOf,
  withChip,
} from "../../../src/page/model/filters.ts";

test("every condition of the page is one of the API", () => {
  const known = new Set<string>(CONDITION_NAMES);

  expect(CONDITIONS.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

test("a filter survives its URL", () => {
  const chips: Chip[] = [
    { name: "text", value: "a&b=c é" },
    { name: "attribute", value: "key=1" },
    { name: "attribute", value: "key=2" },
  ];

  expect(chipsOf(queryOf(chips))).toEqual(chips);
});

test("unknown and empty parameters of a URL are ignored", () => {
  expect(chipsOf("span=1&service=&status=error")).toEqual([{ name: "status", value: "error" }]);
});

test("a condition replaces one of its name, and attributes add up", () => {
  const chips: Chip[] = [
    { name: "status", value: "ok" },
    { name: "attribute", value: "a=1" },
  ];

  expect(withChip(chips, { name: "status", value: "error" })).toEqual([
    { name: "attribute", value: "a=1" },
    { name: "status", value: "error" },
  ]);
  expect(withChip(chips, { name: "attribute", value: "a=2" })).toHaveLength(3);
  expect(withChip(chips, { name: "attribute", value: "a=1" })).toHaveLength(2);
});

test.each<[Chip, string]>([
  [{ name: "min_duration", value: "5ms" }, "at least: 5ms"],
  [{ name: "attribute", value: "a=1" }, "a=1"],
  [{ name: "attribute_exists", value: "a" }, "has a"],
])("%j is labelled %s", (chip, label) => {
  expect(labelOf(chip)).toBe(label);
});
