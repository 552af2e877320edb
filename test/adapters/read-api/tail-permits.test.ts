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

test("when all are taken there is none, until somebody leaves", () => {
  const { permits, follow, first } = twoTaken();

  const refused = follow("third");
  first[Symbol.dispose]();
  const free = permits.takenCount;
  follow("third");

  expect(refused).toBeUndefined();
  expect([free, permits.takenCount, permits.limit]).toEqual([1, 2, 2]);
});

test("one who has left what there is for a minute goes when another comes", () => {
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

test("of two who have stalled, the one goes that has done so longer", () => {
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

test("one who takes what there is keeps its place, however long nothing comes", () => {
  const { clock, broken, follow, first } = twoTaken();
  first.gave();
  first.took();

  clock.moveMs(10 * STALLED_MS);

  expect(follow("third")).toBeUndefined();
  expect(broken).toEqual([]);
});

test("nobody goes for one who finds a place, nor twice for two who do not", () => {
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
