import { expect, test } from "bun:test";
import { AnswerBudget } from "../../../src/adapters/http/answer-budget.ts";
import { heldBuffer } from "../../../src/adapters/http/held-buffer.ts";
import type { SearchedBuffer } from "../../../src/application/query-spans.ts";

const TEN_BYTES_EACH: SearchedBuffer = {
  range: () => ({ first: 1, next: 9 }),
  visit: () => {},
  copy: (sequences) => ({ request: new Uint8Array(10 * sequences.length), sequences }),
};

test("what is copied is held", () => {
  const budget = new AnswerBudget(20);
  const buffer = heldBuffer(TEN_BYTES_EACH, budget.begin());

  const copied = buffer.copy([1, 2]);

  expect(copied.sequences).toEqual([1, 2]);
  expect(budget.hasRoom()).toBe(false);
  expect(buffer.range()).toEqual({ first: 1, next: 9 });
});

test("without room nothing is copied, and it is told how much that was", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  let refusals = 0;
  const buffer = heldBuffer(TEN_BYTES_EACH, held, () => (refusals += 1));
  budget.begin().hold(20);

  const copied = buffer.copy([1, 2]);

  expect(copied).toEqual({ request: new Uint8Array(0), sequences: [] });
  expect([held.refusedSpans, refusals]).toEqual([2, 1]);
});

test("where there is nothing to copy, nothing is refused", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  budget.begin().hold(20);

  heldBuffer(TEN_BYTES_EACH, held).copy([]);

  expect(held.refusedSpans).toBe(0);
});
