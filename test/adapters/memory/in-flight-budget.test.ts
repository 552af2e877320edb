import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { ENVELOPE_BYTES, InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import type {
  DropCause,
  InFlightOwner,
  OpenRequest,
} from "../../../src/adapters/memory/in-flight-budget.ts";

/** The charge for an open request in these tests, and the minimum charge for a piece. */
const BASE = 1000;
const MIN_PIECE = 768;

/** Creates a budget whose `limitBytes` include the envelope. */
function createBudget(limitBytes: number, { ownerCount = 3, largestRequestBytes = 0 } = {}) {
  const dropped: InFlightOwner[] = [];
  const causes: DropCause[] = [];
  const owners = Array.from({ length: ownerCount }, () => {
    const owner: InFlightOwner = {
      dropped: (_, cause) => {
        dropped.push(owner);
        causes.push(cause);
      },
    };
    return owner;
  });
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const capacityBytes = limitBytes - ENVELOPE_BYTES;
  const budget = new InFlightBudget({ capacityBytes, largestRequestBytes, clock });
  const begin = (index: number) => budget.begin(owners[index] as InFlightOwner, BASE);
  return { budget, owners, dropped, causes, clock, begin };
}

describe("a request is charged", () => {
  test("for its base and for every piece of its message", () => {
    const { budget, begin } = createBudget(100_000);

    const request = begin(0);
    budget.hold(request, 3000);
    budget.hold(request, 2000);

    expect(request.heldBytes).toBe(BASE + 5000);
    expect(budget.heldBytes).toBe(BASE + 5000);
  });

  test("at least the minimum for a piece of one byte", () => {
    const { budget, begin } = createBudget(100_000);

    budget.hold(begin(0), 1);

    expect(budget.heldBytes).toBe(BASE + MIN_PIECE);
  });

  test("nothing after its end", () => {
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

describe("an in-flight budget", () => {
  test("that is used up exactly drops no owner", () => {
    const { budget, begin, dropped } = createBudget(BASE + 5000);

    budget.hold(begin(0), 5000);

    expect(dropped).toEqual([]);
  });

  test("that is exceeded by a byte drops the owner and releases its bytes", () => {
    const { budget, begin, dropped, owners } = createBudget(BASE + 5000);

    const request = begin(0);
    budget.hold(request, 5001);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
    expect(budget.heldBytes).toBe(0);
    expect(request.hasEnded).toBe(true);
  });

  test("drops the owner with the most bytes among owners of the same age", () => {
    const { budget, begin, dropped, owners } = createBudget(10_000);
    const [small, large, other] = [begin(0), begin(1), begin(2)];

    budget.hold(small, 1000);
    budget.hold(large, 5000);
    budget.hold(other, 2000);

    expect(dropped).toEqual([owners[1] as InFlightOwner]);
  });

  test("adds up the requests of an owner", () => {
    const { budget, begin, dropped, owners } = createBudget(10_000);
    for (let request = 0; request < 5; request += 1) budget.hold(begin(0), 600);

    budget.hold(begin(1), 2000);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
  });

  test("asks who owns a request only when it is exceeded", () => {
    const { budget, begin, dropped, owners } = createBudget(10_000);
    const asked: string[] = [];
    const findOwner = () => {
      asked.push("owner");
      return owners[1] as InFlightOwner;
    };
    const request = budget.begin(findOwner, BASE);
    budget.hold(begin(0), 5000);
    const before = asked.length;

    budget.hold(request, 6000);

    expect(before).toBe(0);
    expect(asked).not.toEqual([]);
    expect(dropped).toEqual([owners[1] as InFlightOwner]);
    expect(request.hasEnded).toBe(true);
  });

  test("drops bytes held for long before a large message that has just begun", () => {
    const { budget, begin, dropped, owners, clock } = createBudget(10_000);
    budget.hold(begin(0), 1000);
    clock.nowMs = 5000;

    budget.hold(begin(1), 8000);

    expect(dropped).toEqual([owners[0] as InFlightOwner]);
    expect(budget.heldBytes).toBe(BASE + 8000);
  });

  test("does not drop an idle call because of its age alone", () => {
    const { budget, begin, dropped, owners, clock } = createBudget(50_000);
    begin(0);
    clock.nowMs = 3_600_000;
    const attack = begin(1);
    clock.nowMs += 5000;

    budget.hold(attack, 60_000);

    expect(dropped).toEqual([owners[1] as InFlightOwner]);
  });

  test("drops owners until it is within the limit", () => {
    const { budget, begin, dropped, clock } = createBudget(12_000);
    budget.hold(begin(0), 3000);
    budget.hold(begin(1), 3000);
    clock.nowMs = 1000;

    budget.hold(begin(2), 9000);

    expect(dropped).toHaveLength(2);
    expect(budget.heldBytes).toBe(BASE + 9000);
  });
});

// Goal: after any sequence of calls, the total is the sum over all requests, and within the budget.
// Method: random calls of four owners; fast-check prints the seed and the shortest sequence.
test("the total equals the sum of the requests after any sequence of calls", () => {
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
      const { budget, clock, begin } = createBudget(60_000, { ownerCount: 4 });
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

describe("what answers hold", () => {
  const MIB = 2 ** 20;
  const create = () => createBudget(64 * MIB + ENVELOPE_BYTES);

  test("leaves less for requests", () => {
    const { budget, begin, dropped, owners } = create();
    budget.noteAnswers(30 * MIB);

    budget.hold(begin(0), 33 * MIB);
    const before = dropped.length;
    budget.hold(begin(1), 2 * MIB);

    expect([before, dropped]).toEqual([0, [owners[0] as InFlightOwner]]);
  });

  test("drops requests for which it leaves no room", () => {
    const { budget, begin, dropped } = create();
    budget.hold(begin(0), 20 * MIB);
    budget.hold(begin(1), 30 * MIB);

    budget.noteAnswers(10 * MIB);
    const before = dropped.length;
    budget.noteAnswers(10 * MIB);

    expect([before, dropped.length]).toEqual([0, 1]);
    expect(budget.heldBytes).toBe(BASE + 20 * MIB);
  });

  test.each<{ answers: number; held: number; cause: DropCause }>([
    { answers: 0, held: 65, cause: "requests" },
    { answers: 30, held: 65, cause: "requests" },
    { answers: 30, held: 64, cause: "answers" },
    { answers: 30, held: 35, cause: "answers" },
  ])("of $answers MiB makes $cause the cause of a drop of $held MiB", (drop) => {
    const { budget, begin, causes } = create();
    budget.noteAnswers(drop.answers * MIB);

    budget.hold(begin(0), drop.held * MIB);

    expect(causes).toEqual([drop.cause]);
  });

  test("leaves everything again when it is released", () => {
    const { budget, begin, dropped } = create();
    budget.noteAnswers(64 * MIB);
    budget.noteAnswers(-64 * MIB);

    budget.hold(begin(0), 63 * MIB);

    expect(dropped).toEqual([]);
  });

  test.each([
    { capacity: 64, largest: 20, left: 24 },
    { capacity: 64, largest: 50, left: 50 },
    { capacity: 64, largest: 100, left: 64 },
    { capacity: 8, largest: 20, left: 8 },
    { capacity: 200, largest: 20, left: 100 },
    { capacity: 200, largest: 150, left: 150 },
  ])("leaves $left MiB of $capacity for requests of $largest MiB if it is 100", (sizes) => {
    const { capacity, largest, left } = sizes;
    const limitBytes = capacity * MIB + ENVELOPE_BYTES;
    const { budget, begin, dropped } = createBudget(limitBytes, {
      largestRequestBytes: largest * MIB,
    });
    budget.noteAnswers(100 * MIB);
    const request = begin(0);

    budget.hold(request, left * MIB);
    const before = dropped.length;
    budget.hold(request, ENVELOPE_BYTES);

    expect([before, dropped.length]).toEqual([0, 1]);
  });
});
