import { expect, test } from "bun:test";
import type { SteppedWork } from "../../../../src/adapters/listening/fair-turns.ts";
import { SenderTurns } from "../../../../src/adapters/read-api/http1/sender-turns.ts";
import { nextTurn } from "../../../support/running/searched-ring.ts";

function createTurns(hasTime: boolean) {
  const queued: SteppedWork[] = [];
  const queue = (work: SteppedWork) => void queued.push(work);
  return { turns: new SenderTurns({ hasTime: () => hasTime, queue }), queued };
}

test("the first request of each sender in a turn begins at once", () => {
  const { turns } = createTurns(false);

  const begun = ["a", "b", "a", "c", "b"].map((sender) => turns.mayBegin(sender));

  expect(begun).toEqual([true, true, false, true, false]);
});

test("further requests of a sender begin while the turn has time", () => {
  const { turns } = createTurns(true);

  expect([turns.mayBegin("a"), turns.mayBegin("a")]).toEqual([true, true]);
});

test("in the next turn, each sender has a first request again", async () => {
  const { turns } = createTurns(false);
  turns.mayBegin("a");

  await nextTurn();

  expect([turns.mayBegin("a"), turns.mayBegin("a")]).toEqual([true, false]);
});

test("work is queued for a later turn", () => {
  const { turns, queued } = createTurns(false);
  const work = { sender: "a", step: () => false };

  turns.queue(work);

  expect(queued).toEqual([work]);
});
