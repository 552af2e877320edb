import { expect, test } from "bun:test";
import {
  STALLED_MS,
  type TailPermit,
  TailPermits,
} from "../../../src/adapters/read-api/tail-permits.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** Two permits, taken by readers whose names are noted when they are broken off. */
function twoTaken() {
  const clock = new HandMovedClock();
  const permits = new TailPermits(2, clock);
  const broken: string[] = [];
  const follow = (name: string): TailPermit | undefined => {
    const breakOff = (): void => {
      broken.push(name);
      permit![Symbol.dispose]();
    };
    const permit = permits.take(breakOff);
    return permit;
  };
  const [first, second] = [follow("first")!, follow("second")!];
  return { clock, permits, broken, follow, first, second };
}

test("when all permits are taken, there is none until one is returned", () => {
  const { permits, follow, first } = twoTaken();

  const refused = follow("third");
  first[Symbol.dispose]();
  const free = permits.takenCount;
  follow("third");

  expect(refused).toBeUndefined();
  expect([free, permits.takenCount, permits.limit]).toEqual([1, 2, 2]);
});

test("a reader that has stalled for a minute loses its permit to another", () => {
  const { clock, permits, broken, follow, first } = twoTaken();
  first.gave();

  clock.moveMs(STALLED_MS - 1);
  const early = follow("third");
  clock.moveMs(1);
  const third = follow("third");

  expect(early).toBeUndefined();
  expect(third).toBeDefined();
  expect(broken).toEqual(["first"]);
  expect(permits.takenCount).toBe(2);
});

test("of two stalled readers, the one that has stalled longer loses its permit", () => {
  const { clock, broken, follow, first, second } = twoTaken();
  first.gave();
  second.gave();
  first.took();
  clock.moveMs(STALLED_MS);
  first.gave();
  clock.moveMs(STALLED_MS);

  follow("third");

  expect(broken).toEqual(["second"]);
});

test("a reader that takes everything keeps its permit, however long nothing comes", () => {
  const { clock, broken, follow, first } = twoTaken();
  first.gave();
  first.took();

  clock.moveMs(10 * STALLED_MS);

  expect(follow("third")).toBeUndefined();
  expect(broken).toEqual([]);
});

test("no reader loses its permit while one is free, nor twice", () => {
  const { clock, broken, follow, first, second } = twoTaken();
  first.gave();
  clock.moveMs(STALLED_MS);
  second[Symbol.dispose]();

  const found = [follow("third"), follow("fourth"), follow("fifth")].map(
    (each) => each !== undefined,
  );

  expect(found).toEqual([true, true, false]);
  expect(broken).toEqual(["first"]);
});
