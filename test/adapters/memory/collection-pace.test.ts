import { expect, spyOn, test } from "bun:test";
import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";

test.each([
  { requests: 999, collections: 0 },
  { requests: 1000, collections: 1 },
  { requests: 5000, collections: 5 },
])("$requests requests leave garbage for $collections collections", ({ requests, collections }) => {
  let collected = 0;
  const pace = new CollectionPace(() => (collected += 1));

  for (let request = 0; request < requests; request += 1) pace.note();

  expect(collected).toBe(collections);
});

test.each([
  {
    name: "less than a thousand requests would leave",
    garbageBytes: 20_479_999,
    collections: 0,
  },
  { name: "as much as a thousand requests leave", garbageBytes: 20_480_000, collections: 1 },
  { name: "far more, in one piece", garbageBytes: 2 ** 30, collections: 1 },
])("other garbage counts as well: $name", ({ garbageBytes, collections }) => {
  let collected = 0;
  const pace = new CollectionPace(() => (collected += 1));

  pace.noteGarbage(garbageBytes);

  expect(collected).toBe(collections);
});

test("by default it is this program's garbage, without waiting for the end", () => {
  using collect = spyOn(Bun, "gc").mockImplementation(() => {});
  const pace = new CollectionPace();

  for (let request = 0; request < 1000; request += 1) pace.note();

  expect(collect.mock.calls).toEqual([[false]]);
});
