import { describe, expect, test } from "bun:test";
import { UNMEASURED } from "../../../src/adapters/memory/measured-memory.ts";
import { AnswerBudget } from "../../../src/adapters/read-api/answer-budget.ts";

test("every change is reported to the budget of requests", () => {
  const changes: number[] = [];
  const noteAnswers = (bytes: number) => void changes.push(bytes);
  const held = new AnswerBudget(10, {
    heldBytes: 0,
    leastBytes: 0,
    memory: UNMEASURED,
    noteAnswers,
  }).begin();

  held.reserve(8);
  held.hold(5);
  held.hold(5);
  held.release();

  expect(changes.filter((bytes) => bytes !== 0)).toEqual([8, 2, -10]);
});

describe("what requests hold", () => {
  const MIB = 2 ** 20;
  const requestsOf = (heldMib: number) => {
    const parts = { memory: UNMEASURED, noteAnswers: () => {} };
    return { heldBytes: heldMib * MIB, leastBytes: 24 * MIB, ...parts };
  };
  const besideRequests = (heldMib: number) => new AnswerBudget(64 * MIB, requestsOf(heldMib));

  test.each([
    { requestsMib: 0, roomMib: 64 },
    { requestsMib: 30, roomMib: 34 },
    { requestsMib: 60, roomMib: 16 },
  ])("leaves $roomMib MiB to answers if it is $requestsMib MiB", ({ requestsMib, roomMib }) => {
    const budget = besideRequests(requestsMib);
    budget.begin().hold(MIB);
    const answer = budget.begin();

    const mayGrow = [1, 0].map((bytes) => answer.mayGrow((roomMib - 1) * MIB - bytes));

    expect(mayGrow).toEqual([true, false]);
  });

  test.each([
    { requestsMib: 24, mayGrow: true },
    { requestsMib: 25, mayGrow: false },
  ])(
    "lets one answer of any size begin if it is $requestsMib MiB: $mayGrow",
    ({ requestsMib, mayGrow }) => {
      expect(
        besideRequests(requestsMib)
          .begin()
          .mayGrow(100 * MIB),
      ).toBe(mayGrow);
    },
  );

  test("lets an answer grow to the size that it has reserved", () => {
    const requests = requestsOf(0);
    const answer = new AnswerBudget(64 * MIB, requests).begin();

    answer.reserve(100 * MIB);
    requests.heldBytes = 64 * MIB;

    expect([answer.mayGrow(100 * MIB), answer.mayGrow(101 * MIB)]).toEqual([true, false]);
  });
});

describe("the memory of the process", () => {
  const MIB = 2 ** 20;
  const budgetOf = ({ roomMib = 1_000, excessMib = 0, requestsMib = 0 }) => {
    const memory = { roomBytes: () => roomMib * MIB, excessBytes: () => excessMib * MIB };
    const requests = { heldBytes: requestsMib * MIB, leastBytes: 24 * MIB, noteAnswers: () => {} };
    return new AnswerBudget(64 * MIB, { ...requests, memory });
  };

  test.each([
    { roomMib: 100, mayGrow: true },
    { roomMib: 99, mayGrow: false },
  ])("lets an answer of 100 MiB begin if $roomMib are left: $mayGrow", ({ roomMib, mayGrow }) => {
    const answer = budgetOf({ roomMib, requestsMib: 1 }).begin();

    expect(answer.mayGrow(100 * MIB)).toBe(mayGrow);
  });

  test("lets an answer of any size begin while there is nothing else", () => {
    expect(
      budgetOf({ roomMib: -10 })
        .begin()
        .mayGrow(100 * MIB),
    ).toBe(true);
  });

  test("lets an answer within the limit begin although there is no room", () => {
    const answer = budgetOf({ roomMib: -10, requestsMib: 1 }).begin();

    expect([62, 63].map((mib) => answer.mayGrow(mib * MIB))).toEqual([true, false]);
  });

  test.each([
    { excessMib: 20, requestsMib: 0, left: 44 },
    { excessMib: 10, requestsMib: 60, left: 6 },
    { excessMib: 100, requestsMib: 60, left: 4 },
  ])("leaves $left MiB to answers at an excess of $excessMib", ({ left, ...growth }) => {
    const budget = budgetOf({ ...growth, roomMib: 0 });
    budget.begin().hold(MIB);
    const answer = budget.begin();

    const mayGrow = [1, 0].map((bytes) => answer.mayGrow((left - 1) * MIB - bytes));

    expect(mayGrow).toEqual([true, false]);
  });
});
