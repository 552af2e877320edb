import { expect, test } from "bun:test";
import { ScanScheduler } from "../../../src/application/querying/ring-scan.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

test("a single scan has a turn immediately, once in each round of the event loop", async () => {
  const turns = new ScanScheduler();

  const first = turns.next();
  await nextTurn();
  const second = turns.next();

  expect([first, second]).toEqual([undefined, undefined]);
});

test("each round has one turn, first come, first served", async () => {
  const turns = new ScanScheduler();
  const had: string[] = [];
  const ask = (name: string) => void turns.next()?.then(() => had.push(name));

  for (const name of ["a", "b", "c"]) ask(name);
  const rounds = [[...had]];
  for (let round = 0; round < 3; round += 1) {
    await nextTurn();
    rounds.push([...had]);
  }

  expect(rounds).toEqual([[], ["b"], ["b", "c"], ["b", "c"]]);
});

test("after an awaited turn, the next one is in a later round", async () => {
  const turns = new ScanScheduler();

  turns.next();
  await turns.next();

  expect(turns.next()).toBeInstanceOf(Promise);
});
