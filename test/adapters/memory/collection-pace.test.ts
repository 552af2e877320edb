import { expect, test } from "bun:test";
import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";

function countedPace() {
  const collected = { young: 0, all: 0 };
  const pace = new CollectionPace({
    young: () => void (collected.young += 1),
    all: () => void (collected.all += 1),
  });
  return { pace, collected };
}

test.each([
  { requests: 499, collections: 0 },
  { requests: 500, collections: 1 },
  { requests: 5000, collections: 10 },
])("$requests requests trigger $collections collections", ({ requests, collections }) => {
  const { pace, collected } = countedPace();

  for (let request = 0; request < requests; request += 1) pace.note();

  expect(collected.young).toBe(collections);
});

test.each([
  {
    name: "less than that of 500 requests",
    garbageBytes: 10_239_999,
    collections: 0,
  },
  { name: "as much as that of 500 requests", garbageBytes: 10_240_000, collections: 1 },
  { name: "far more at once", garbageBytes: 2 ** 30, collections: 1 },
])("other garbage triggers collections too: $name", ({ garbageBytes, collections }) => {
  const { pace, collected } = countedPace();

  pace.noteGarbage(garbageBytes);

  expect(collected.young).toBe(collections);
});

test("the 16th collection is a full one, and so is every 64th after it", () => {
  const { pace, collected } = countedPace();

  const full = Array.from({ length: 150 }, (_, at) => at + 1).filter(() => {
    const before = collected.all;
    pace.noteGarbage(10_240_000);
    return collected.all > before;
  });

  expect(full).toEqual([16, 80, 144]);
  expect(collected).toEqual({ young: 147, all: 3 });
});

test("24 MiB of old garbage start a full collection", () => {
  const { pace, collected } = countedPace();

  pace.noteOldGarbage(24 * 2 ** 20 - 1);
  const before = { ...collected };
  pace.noteOldGarbage(1);
  pace.noteOldGarbage(24 * 2 ** 20 - 1);

  expect([before, collected]).toEqual([
    { young: 0, all: 0 },
    { young: 0, all: 1 },
  ]);
});

test("collections of the runtime are the default", async () => {
  const pace = new CollectionPace();
  const garbage = Array.from({ length: 1000 }, () => new WeakRef({}));
  // The target of a new WeakRef lives until the end of the turn.
  await new Promise((resolve) => void setImmediate(resolve));

  pace.noteGarbage(2 ** 30);

  expect(garbage.filter((each) => each.deref() !== undefined).length).toBeLessThan(500);
});
