import { expect, test } from "bun:test";
import { ChunkTurns } from "../../../src/adapters/read-api/chunk-turns.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

test("eight chunks are written in a turn, in the order in which they were asked for", async () => {
  const turns = new ChunkTurns();
  const written: number[] = [];
  const byTurn: number[][] = [];
  for (let chunk = 1; chunk <= 19; chunk += 1) void turns.next().then(() => written.push(chunk));

  for (let turn = 0; turn < 4; turn += 1) {
    byTurn.push(written.splice(0));
    await nextTurn();
  }

  expect(byTurn).toEqual([
    [],
    [1, 2, 3, 4, 5, 6, 7, 8],
    [9, 10, 11, 12, 13, 14, 15, 16],
    [17, 18, 19],
  ]);
});

test("a chunk that is asked for after the others are written has its turn", async () => {
  const turns = new ChunkTurns();
  await turns.next();

  expect(await turns.next()).toBeUndefined();
});
