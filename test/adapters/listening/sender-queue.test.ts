import { expect, test } from "bun:test";
import { SenderQueue } from "../../../src/adapters/listening/sender-queue.ts";

/** Returns pieces named by their sender and a number, such as `a1`. */
function piecesOf(names: readonly string[]) {
  return names.map((name) => ({ name, sender: name[0]! }));
}

function takeAll(queue: SenderQueue<{ name: string; sender: string }>): string[] {
  const names: string[] = [];
  for (let piece = queue.take(); piece !== undefined; piece = queue.take()) names.push(piece.name);
  return names;
}

test.each([
  { title: "pieces of one sender stay in order", added: ["a1", "a2", "a3"] },
  { title: "senders take turns", added: ["a1", "a2", "a3", "b1"], taken: ["a1", "b1", "a2", "a3"] },
  { title: "an empty queue gives nothing", added: [] },
])("$title", ({ added, taken = added }) => {
  const queue = new SenderQueue<{ name: string; sender: string }>();
  for (const piece of piecesOf(added)) queue.add(piece);

  expect(takeAll(queue)).toEqual([...taken]);
  expect(queue.isEmpty).toBe(true);
});

test("a sender that has just had its turn waits for the others", () => {
  const queue = new SenderQueue<{ name: string; sender: string }>();
  const [a1, a2, b1] = piecesOf(["a1", "a2", "b1"]);
  for (const piece of [a1!, a2!, b1!]) queue.add(piece);
  queue.take();

  queue.add(a1!);

  expect(takeAll(queue)).toEqual(["b1", "a2", "a1"]);
});

test("a piece that waits is not added again", () => {
  const queue = new SenderQueue<{ name: string; sender: string }>();
  const [a1] = piecesOf(["a1"]);
  queue.add(a1!);
  queue.add(a1!);

  expect(takeAll(queue)).toEqual(["a1"]);
});
