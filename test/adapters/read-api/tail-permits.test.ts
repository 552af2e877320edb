import { expect, test } from "bun:test";
import {
  STALLED_MS,
  type TailPermit,
  TailPermits,
} from "../../../src/adapters/read-api/tail-permits.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** Takes two permits; `revoked` lists the readers that lose theirs. */
function twoTaken() {
  const clock = new HandMovedClock();
  const permits = new TailPermits(2, clock);
  const revoked: string[] = [];
  const follow = (name: string): TailPermit | undefined => {
    const revoke = (): void => {
      revoked.push(name);
      permit![Symbol.dispose]();
    };
    const permit = permits.take(revoke);
    return permit;
  };
  const [first, second] = [follow("first")!, follow("second")!];
  return { clock, permits, revoked, follow, first, second };
}

test("no permit is available at the limit until one is returned", () => {
  const { permits, follow, first } = twoTaken();

  const refused = follow("third");
  first[Symbol.dispose]();
  const free = permits.takenCount;
  follow("third");

  expect(refused).toBeUndefined();
  expect([free, permits.takenCount, permits.limit]).toEqual([1, 2, 2]);
});

test("a reader that has stalled for a minute loses its permit to another", () => {
  const { clock, permits, revoked, follow, first } = twoTaken();
  first.gave();

  clock.moveMs(STALLED_MS - 1);
  const early = follow("third");
  clock.moveMs(1);
  const third = follow("third");

  expect(early).toBeUndefined();
  expect(third).toBeDefined();
  expect(revoked).toEqual(["first"]);
  expect(permits.takenCount).toBe(2);
});

test("the reader that has stalled longer loses its permit", () => {
  const { clock, revoked, follow, first, second } = twoTaken();
  first.gave();
  second.gave();
  first.took();
  clock.moveMs(STALLED_MS);
  first.gave();
  clock.moveMs(STALLED_MS);

  follow("third");

  expect(revoked).toEqual(["second"]);
});

test("a reader that consumes everything keeps its permit in a long silence", () => {
  const { clock, revoked, follow, first } = twoTaken();
  first.gave();
  first.took();

  clock.moveMs(10 * STALLED_MS);

  expect(follow("third")).toBeUndefined();
  expect(revoked).toEqual([]);
});

test("no reader loses its permit while another is free, or loses it twice", () => {
  const { clock, revoked, follow, first, second } = twoTaken();
  first.gave();
  clock.moveMs(STALLED_MS);
  second[Symbol.dispose]();

  const found = [follow("third"), follow("fourth"), follow("fifth")].map(
    (each) => each !== undefined,
  );

  expect(found).toEqual([true, true, false]);
  expect(revoked).toEqual(["first"]);
});
