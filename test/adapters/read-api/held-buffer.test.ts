import { ProblemError } from "../../../src/adapters/read-api/problem.ts";
import { expect, test } from "bun:test";
import { AnswerBudget, heldBuffer } from "../../../src/adapters/read-api/answer-budget.ts";
import { NEVER } from "../../support/running/searched-ring.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import type { SearchedBuffer } from "../../../src/ports/trace-buffer.ts";

const TEN_BYTES_EACH: SearchedBuffer = {
  range: () => ({ first: 1, next: 9 }),
  visit: () => {},
  copy: (sequences) => ({ request: new Uint8Array(10 * sequences.length), sequences }),
};

test("copied bytes are held", () => {
  const budget = new AnswerBudget(20);
  const buffer = heldBuffer(TEN_BYTES_EACH, { held: budget.begin(), ended: NEVER });

  const copied = buffer.copy([1, 2]);

  expect(copied.sequences).toEqual([1, 2]);
  expect(budget.hasRoom()).toBe(false);
  expect(buffer.range()).toEqual({ first: 1, next: 9 });
});

test("without room nothing is copied, and the spans are counted as refused", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  let refusals = 0;
  const buffer = heldBuffer(TEN_BYTES_EACH, {
    held,
    ended: NEVER,
    whenRefused: () => (refusals += 1),
  });
  budget.begin().hold(20);

  const copied = buffer.copy([1, 2]);

  expect(copied).toEqual({ request: new Uint8Array(0), sequences: [] });
  expect([held.refusedSpans, refusals]).toEqual([2, 1]);
});

test("an empty copy is never refused", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  budget.begin().hold(20);

  heldBuffer(TEN_BYTES_EACH, { held, ended: NEVER }).copy([]);

  expect(held.refusedSpans).toBe(0);
});

test("once the answer has ended, nothing is searched or held", () => {
  const budget = new AnswerBudget(20);
  const ending = new AbortController();
  const buffer = heldBuffer(TEN_BYTES_EACH, { held: budget.begin(), ended: ending.signal });
  const look = { matcher: compileFilter([]), newestFirst: false, range: { first: 1, next: 2 } };

  ending.abort();

  expect(() => buffer.range()).toThrow(ProblemError);
  expect(() => buffer.visit(look, () => true)).toThrow(ProblemError);
  expect(() => buffer.copy([1, 2])).toThrow(ProblemError);
  expect(budget.hasRoom()).toBe(true);
});
