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

test("by default it is this program's garbage, without waiting for the end", () => {
  using collect = spyOn(Bun, "gc").mockImplementation(() => {});
  const pace = new CollectionPace();

  for (let request = 0; request < 1000; request += 1) pace.note();

  expect(collect.mock.calls).toEqual([[false]]);
});
