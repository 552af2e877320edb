import { expect, test } from "bun:test";
import {
  FairTurns,
  SPARE_BYTES,
  type SteppedWork,
} from "../../../src/adapters/listening/fair-turns.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const LONG_MS = 5;

/** Steps that take no time unless they say so. */
function createTurns() {
  let nowMs = 0;
  const done: string[] = [];
  const turns = new FairTurns({ monotonicMs: () => nowMs });
  const pass = (ms: number): void => void (nowMs += ms);
  const work = (name: string, steps: number, stepMs = 0, sender = name): SteppedWork => {
    let left = steps;
    return {
      sender,
      step: () => {
        done.push(name);
        pass(stepMs);
        left -= 1;
        return left > 0;
      },
    };
  };
  return { turns, done, pass, work };
}

test("a turn has time until it has taken five milliseconds", () => {
  const { turns, pass } = createTurns();

  const before = turns.hasTime();
  pass(4.9);
  const almost = turns.hasTime();
  pass(0.1);

  expect([before, almost, turns.hasTime()]).toEqual([true, true, false]);
});

test("the next turn has time again", async () => {
  const { turns, pass } = createTurns();
  turns.hasTime();
  pass(LONG_MS);

  await nextTurn();

  expect(turns.hasTime()).toBe(true);
});

test("each turn has as many spare bytes", async () => {
  const { turns, pass } = createTurns();
  turns.hasTime();
  pass(LONG_MS);

  turns.spend(SPARE_BYTES - 1);
  const left = turns.spareBytes;
  await nextTurn();
  turns.hasTime();

  expect([left, turns.spareBytes]).toEqual([1, SPARE_BYTES]);
});

test("a turn has no time while work is waiting, which was there earlier", () => {
  const { turns, work } = createTurns();

  turns.queue(work("a", 1));

  expect(turns.hasTime()).toBe(false);
});

test("waiting work is done in a later turn, all of it that fits", async () => {
  const { turns, done, work } = createTurns();
  turns.queue(work("a", 2));
  turns.queue(work("b", 1));

  expect(done).toEqual([]);
  await nextTurn();

  expect(done).toEqual(["a", "b", "a"]);
});

test("long steps take turns", async () => {
  const { turns, done, work } = createTurns();
  turns.queue(work("a", 3, LONG_MS));
  turns.queue(work("b", 3, LONG_MS));

  for (let turn = 0; turn < 6; turn += 1) await nextTurn();

  expect(done).toEqual(["a", "a", "b", "a", "b", "b"]);
});

test("work that has had no step comes before all but one of those that have", async () => {
  const { turns, done, work } = createTurns();
  for (const name of ["a", "b", "c"]) turns.queue(work(name, 9, LONG_MS));
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  done.length = 0;

  turns.queue(work("new", 1));
  await nextTurn();

  expect(done[1]).toBe("new");
});

test("work with further steps has one even if new work takes the whole turn", async () => {
  const { turns, done, work } = createTurns();
  turns.queue(work("old", 9, LONG_MS));
  await nextTurn();
  for (const name of ["a", "b", "c"]) turns.queue(work(name, 1, LONG_MS));

  await nextTurn();

  expect(done).toEqual(["old", "old", "a"]);
});

test("a sender with much work delays the work of another by one step", async () => {
  const { turns, done, work } = createTurns();
  for (const name of ["a", "b", "c"]) turns.queue(work(name, 1, LONG_MS, "many"));
  turns.queue(work("other", 1, LONG_MS, "few"));

  for (let turn = 0; turn < 4; turn += 1) await nextTurn();

  expect(done).toEqual(["a", "other", "b", "c"]);
});

test("senders take turns in further steps too", async () => {
  const { turns, done, work } = createTurns();
  for (const name of ["a", "b", "c"]) turns.queue(work(name, 9, LONG_MS, "many"));
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  turns.queue(work("other", 3, LONG_MS, "few"));

  for (let turn = 0; turn < 5; turn += 1) await nextTurn();

  expect(done.filter((name) => name === "other").length).toBe(3);
});

test("work that is queued twice has one step", async () => {
  const { turns, done, work } = createTurns();
  const once = work("a", 1);
  turns.queue(once);
  turns.queue(once);

  await nextTurn();

  expect(done).toEqual(["a"]);
});
