import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { ENVELOPE_BYTES, InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import type { InFlightOwner, OpenRequest } from "../../../src/adapters/memory/in-flight-budget.ts";

/** What an open request is charged in these tests, and what a small piece costs. */
const BASE = 1000;
const LEAST = 512;

/** With the envelope in `limitBytes`. */
function createBudget(limitBytes: number, ownerCount = 3) {
  const dropped: InFlightOwner[] = [];
  const owners = Array.from({ length: ownerCount }, () => {
    const owner: InFlightOwner = { dropped: () => void dropped.push(owner) };
    return owner;
  });
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const budget = new InFlightBudget({ capacityBytes: limitBytes - ENVELOPE_BYTES, clock });
  const begin = (index: number) => budget.begin(owners[index] as InFlightOwner, BASE);
  return { budget, owners, dropped, clock, begin };
}

describe("what a request is charged with", () => {
  test("its base, and every piece of its message", () => {
    const { budget, begin } = createBudget(100_000);

    const request = begin(0);
    budget.hold(request, 3000);
    budget.hold(request, 2000);

    expect(request.heldBytes).toBe(BASE + 5000);
    expect(budget.heldBytes).toBe(BASE + 5000);
  });

  test("a single byte costs what the objects around it do", () => {
    const { budget, begin } = createBudget(100_000);

    budget.hold(begin(0), 1);

    expect(budget.heldBytes).toBe(BASE + LEAST);
  });

  test("nothing when it has ended, whatever still comes", () => {
    const { budget, begin } = createBudget(100_000);
    const request = begin(0);
    budget.hold(request, 3000);

    budget.end(request);
    budget.end(request);
    budget.hold(request, 3000);

    expect(budget.heldBytes).toBe(0);
    expect(request.heldBytes).toBe(0);
  });
});

describe("over the budget", () => {
  test("exactly the budget is within it", () => {
    const { budget, begin, dropped } = createBudget(BASE + 5000);

    budget.hold(begin(0), 5000);

    expect(dropped).toEqual([]);
  });

  test("a byte more drops the owner, and lets its bytes go", () => {
    const { budget, begin, dropped, owners } = createBudget(BASE + 5000);

    const request = begin(0);
    budget.hold(request, 5001);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
    expect(budget.heldBytes).toBe(0);
    expect(request.hasEnded).toBe(true);
  });

  test("among owners of one age, the one with the most bytes is dropped", () => {
    const { budget, begin, dropped, owners } = createBudget(10_000);
    const [small, large, other] = [begin(0), begin(1), begin(2)];

    budget.hold(small, 1000);
    budget.hold(large, 5000);
    budget.hold(other, 2000);

    expect(dropped).toEqual([owners[1] as InFlightOwner]);
  });

  test("many requests of one owner count together", () => {
    const { budget, begin, dropped, owners } = createBudget(10_000);
    for (let request = 0; request < 5; request += 1) budget.hold(begin(0), 600);

    budget.hold(begin(1), 2000);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
  });

  test("what was held long goes before a large message that has just begun", () => {
    const { budget, begin, dropped, owners, clock } = createBudget(10_000);
    budget.hold(begin(0), 1000);
    clock.nowMs = 5000;

    budget.hold(begin(1), 8000);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
    expect(budget.heldBytes).toBe(BASE + 8000);
  });

  test("a call that lasts for hours is not at fault for its age alone", () => {
    const { budget, begin, dropped, owners, clock } = createBudget(50_000);
    begin(0);
    clock.nowMs = 3_600_000;
    const attack = begin(1);
    clock.nowMs += 5000;

    budget.hold(attack, 60_000);

    expect(dropped).toEqual([owners[1] as InFlightOwner]);
  });

  test("owners are dropped until it is within the limit", () => {
    const { budget, begin, dropped, clock } = createBudget(12_000);
    budget.hold(begin(0), 3000);
    budget.hold(begin(1), 3000);
    clock.nowMs = 1000;

    budget.hold(begin(2), 9000);

    expect(dropped).toHaveLength(2);
    expect(budget.heldBytes).toBe(BASE + 9000);
  });
});

// Goal: after any sequence of calls the total is the sum over all requests, and within the budget.
// Method: random calls of four owners; fast-check prints the seed and the shortest sequence.
test("the total is the sum of the parts after any sequence of calls", () => {
  const calls = fc.array(
    fc.record({
      act: fc.constantFrom("begin", "hold", "end", "wait"),
      which: fc.nat(20),
      bytes: fc.nat(20_000),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(calls, (sequence) => {
      const { budget, clock, begin } = createBudget(60_000, 4);
      const requests: OpenRequest[] = [begin(0)];
      for (const { act, which, bytes } of sequence) {
        const request = requests[which % requests.length] as OpenRequest;
        if (act === "begin") requests.push(begin(which % 4));
        else if (act === "wait") clock.nowMs += bytes;
        else if (act === "hold") budget.hold(request, bytes);
        else budget.end(request);
        const sum = requests.reduce((total, { heldBytes }) => total + heldBytes, 0);
        expect(budget.heldBytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(60_000);
      }
    }),
  );
});
