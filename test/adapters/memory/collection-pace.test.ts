import { expect, test } from "bun:test";
import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const MIB = 2 ** 20;

/** The garbage after which a collection starts. */
const ENOUGH_BYTES = 10_240_000;

/**
 * Returns a pace whose heap has `heap.bytes`, and `heap.freed` until the next collection. A full
 * one leaves `heap.live`.
 */
function countedPace() {
  const collected = { young: 0, all: 0, returned: 0, measured: 0 };
  const heap = { bytes: 0, live: 0, freed: 0 };
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const young = () => ((collected.young += 1), (heap.freed = 0), heap.bytes);
  const all = () => ((collected.all += 1), (heap.freed = 0), (heap.bytes = heap.live));
  const returnFree = () => ((collected.returned += 1), all());
  const heapBytes = () => ((collected.measured += 1), heap.bytes + heap.freed);
  return {
    pace: new CollectionPace({ young, all, returnFree, heapBytes }, clock),
    collected,
    heap,
    clock,
  };
}

test.each([
  { requests: 499, collections: 0 },
  { requests: 500, collections: 1 },
  { requests: 5000, collections: 10 },
])("$requests requests trigger $collections collections", ({ requests, collections }) => {
  const { pace, collected } = countedPace();

  for (let request = 0; request < requests; request += 1) pace.note();

  expect(collected).toMatchObject({ young: collections, all: 0 });
});

test.each([
  { name: "less than that of 500 requests", garbageBytes: ENOUGH_BYTES - 1, collections: 0 },
  { name: "as much as that of 500 requests", garbageBytes: ENOUGH_BYTES, collections: 1 },
  { name: "far more at once", garbageBytes: 2 ** 30, collections: 1 },
])("other garbage triggers collections too: $name", ({ garbageBytes, collections }) => {
  const { pace, collected } = countedPace();

  pace.noteGarbage(garbageBytes);

  expect(collected).toMatchObject({ young: collections, all: 0 });
});

test("however much is closed in one turn, a collection follows once, after it", async () => {
  const { pace, collected } = countedPace();

  for (let closed = 0; closed < 5; closed += 1) pace.noteClosed(ENOUGH_BYTES);
  const before = { ...collected };
  await nextTurn();
  const after = { ...collected };
  pace.noteClosed(ENOUGH_BYTES - 1);
  await nextTurn();

  expect([before.young, after.young, collected.young]).toEqual([0, 1, 1]);
});

test("what was closed after a long time is collected in full, once", async () => {
  const { pace, collected } = countedPace();

  for (let closed = 0; closed < 5; closed += 1) pace.noteClosed(1, 12 * MIB);
  await nextTurn();

  expect(collected).toMatchObject({ young: 0, all: 1 });
});

test("a collection is full if the one before it has left 24 MiB more than at first", () => {
  const { pace, collected, heap } = countedPace();
  const collect = (addedBytes: number): number => {
    heap.bytes += addedBytes;
    const before = collected.all;
    pace.noteGarbage(ENOUGH_BYTES);
    return collected.all - before;
  };

  const fulls = [0, 12 * MIB, 12 * MIB - 1, 1, 0, 0, 24 * MIB, 0].map(collect);

  expect(fulls).toEqual([0, 0, 0, 0, 1, 0, 0, 1]);
  expect(collected).toMatchObject({ young: 6, all: 2 });
});

test("growth is counted from the smallest size since the last full collection", () => {
  const { pace, collected, heap } = countedPace();
  heap.live = 100 * MIB;

  const sizes = [100, 60, 83, 84, 0].map((size) => size * MIB);
  for (const size of sizes) {
    heap.bytes = size;
    pace.noteGarbage(ENOUGH_BYTES);
  }

  expect(collected).toMatchObject({ young: 4, all: 1 });
});

/** Notes one request at each of these times. */
function noteAt({ pace, clock }: ReturnType<typeof countedPace>, timesMs: readonly number[]): void {
  for (const nowMs of timesMs) {
    clock.nowMs = nowMs;
    pace.note();
  }
}

test("the heap is measured ten times a second, and collected once it seems to have grown", () => {
  const counted = countedPace();
  const { collected, heap } = counted;

  noteAt(counted, [0, 1, 99, 100]);
  heap.bytes = 24 * MIB;
  noteAt(counted, [199]);
  const before = { ...collected };
  noteAt(counted, [200, 201, 299]);

  expect(before).toEqual({ young: 0, all: 0, returned: 0, measured: 2 });
  expect(collected).toEqual({ young: 1, all: 0, returned: 0, measured: 3 });
});

test("a heap that has grown by young objects only needs no full collection", () => {
  const counted = countedPace();
  const { collected, heap } = counted;

  for (let nowMs = 0; nowMs < 1000; nowMs += 100) {
    noteAt(counted, [nowMs]);
    heap.freed = 40 * MIB;
  }

  expect(collected).toEqual({ young: 9, all: 0, returned: 0, measured: 10 });
});

test("a heap that a young collection leaves grown is collected in full at the next look", () => {
  const counted = countedPace();
  const { collected, heap } = counted;
  noteAt(counted, [0]);
  heap.bytes = 24 * MIB;

  const fulls = [100, 199, 200, 300].map((nowMs) => (noteAt(counted, [nowMs]), collected.all));

  expect(fulls).toEqual([0, 0, 1, 1]);
  expect(collected.young).toBe(1);
});

test("12 MiB of old garbage start a full collection", () => {
  const { pace, collected } = countedPace();

  pace.noteOldGarbage(12 * MIB - 1);
  const before = { ...collected };
  pace.noteOldGarbage(1);
  pace.noteOldGarbage(12 * MIB - 1);

  expect([before, collected]).toMatchObject([{ all: 0 }, { young: 0, all: 1 }]);
});

test("free memory is returned by a full collection, from which growth is counted", () => {
  const { pace, collected, heap } = countedPace();
  heap.live = 100 * MIB;
  pace.noteGarbage(ENOUGH_BYTES);

  pace.returnFreeMemory();
  heap.bytes = 124 * MIB - 1;
  for (let collection = 0; collection < 3; collection += 1) pace.noteGarbage(ENOUGH_BYTES);

  expect(collected).toMatchObject({ returned: 1, all: 1 });
});

test.each([
  { name: "young", collect: (pace: CollectionPace) => pace.noteGarbage(2 ** 30) },
  { name: "full", collect: (pace: CollectionPace) => pace.noteOldGarbage(2 ** 30) },
  { name: "returning free memory", collect: (pace: CollectionPace) => pace.returnFreeMemory() },
])("collections of the runtime are the default: $name", async ({ collect }) => {
  const pace = new CollectionPace();
  const garbage = Array.from({ length: 1000 }, () => new WeakRef({}));
  // The target of a new WeakRef lives until the end of the turn.
  await new Promise((resolve) => void setImmediate(resolve));

  collect(pace);

  expect(garbage.filter((each) => each.deref() !== undefined).length).toBeLessThan(500);
});
