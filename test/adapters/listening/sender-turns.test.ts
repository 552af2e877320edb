import { expect, mock, test } from "bun:test";
import type { SteppedWork } from "../../../src/adapters/listening/fair-turns.ts";
import { SenderTurns } from "../../../src/adapters/listening/sender-turns.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

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

test("no more than 32 senders go beyond the time of one turn", () => {
  const { turns } = createTurns(false);

  const begun = Array.from({ length: 40 }, (_, sender) => turns.mayBegin(String(sender)));

  expect(begun.filter(Boolean)).toHaveLength(32);
});

test("in the next turn, each sender has a first request again", async () => {
  const { turns } = createTurns(false);
  turns.mayBegin("a");

  await nextTurn();

  expect([turns.mayBegin("a"), turns.mayBegin("a")]).toEqual([true, false]);
});

test.each([
  { hasTime: true, done: [true, true, true] },
  { hasTime: false, done: [true, false, true] },
])("a step beyond the time is done only if it is the first: $hasTime", ({ hasTime, done }) => {
  const { turns } = createTurns(hasTime);

  expect(["a", "a", "b"].map((sender) => turns.mayStep({ sender }))).toEqual([...done]);
});

test("whose step it is, is not asked while the turn has time", () => {
  const { turns } = createTurns(true);
  const sender = mock(() => "a");
  const work = Object.defineProperty({ sender: "" }, "sender", { get: sender });

  turns.mayStep(work);

  expect(sender).not.toHaveBeenCalled();
});

test("work is queued for a later turn", () => {
  const { turns, queued } = createTurns(false);
  const work = { sender: "a", step: () => false };

  turns.queue(work);

  expect(queued).toEqual([work]);
});
