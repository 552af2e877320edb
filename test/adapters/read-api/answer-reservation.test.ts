import { expect, test } from "bun:test";
import { AnswerBudget, sizeOfSpans } from "../../../src/adapters/read-api/answer-budget.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

test("an answer beside others may grow only within the budget", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];
  one.hold(4);
  other.hold(1);

  expect([other.mayGrow(4), other.mayGrow(5)]).toEqual([true, false]);
});

test("reserved bytes count before they are copied, and not again afterwards", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];

  one.reserve(8);
  expect([one.mayGrow(8), other.mayGrow(2)]).toEqual([true, false]);
  one.hold(5);
  expect(budget.heldBytes).toBe(8);
  one.hold(4);
  expect(budget.heldBytes).toBe(9);
  one.release();
  expect(budget.heldBytes).toBe(0);
});

test("spans are charged at their mean size before they are copied", () => {
  const { ring } = runReadApi();
  const { bytes } = ring.stats();

  expect(sizeOfSpans(ring, 1_000)).toBe(bytes.buffered);
  expect(sizeOfSpans(ring, 1)).toBe(Math.ceil(bytes.buffered / 5));
});
