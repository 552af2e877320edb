import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Connection } from "../../../src/adapters/grpc/connection.ts";
import { InFlightBudget } from "../../../src/adapters/grpc/in-flight-budget.ts";
import type { OpenStream } from "../../../src/adapters/grpc/in-flight-budget.ts";
import { fakeConnection } from "../../support/grpc-fake-socket.ts";

/** What an open stream is charged in these tests, and what a small piece costs. */
const BASE = 1000;
const LEAST = 512;

function createBudget(capacityBytes: number, connectionCount = 3) {
  const connections = Array.from({ length: connectionCount }, () => fakeConnection());
  const dropped: Connection[] = [];
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const budget = new InFlightBudget({
    capacityBytes,
    clock,
    dropped: (connection) => dropped.push(connection),
  });
  const begin = (index: number) => budget.begin(connections[index] as Connection, BASE);
  return { budget, connections, dropped, clock, begin };
}

describe("what a stream is charged with", () => {
  test("its base, and every piece of its message", () => {
    const { budget, begin } = createBudget(100_000);

    const stream = begin(0);
    budget.hold(stream, 3000);
    budget.hold(stream, 2000);

    expect(stream.heldBytes).toBe(BASE + 5000);
    expect(budget.heldBytes).toBe(BASE + 5000);
  });

  test("a single byte costs what the objects around it do", () => {
    const { budget, begin } = createBudget(100_000);

    budget.hold(begin(0), 1);

    expect(budget.heldBytes).toBe(BASE + LEAST);
  });

  test("nothing when it has ended, whatever still comes", () => {
    const { budget, begin } = createBudget(100_000);
    const stream = begin(0);
    budget.hold(stream, 3000);

    budget.end(stream);
    budget.end(stream);
    budget.hold(stream, 3000);

    expect(budget.heldBytes).toBe(0);
    expect(stream.heldBytes).toBe(0);
  });
});

describe("over the budget", () => {
  test("exactly the budget is within it", () => {
    const { budget, begin, dropped } = createBudget(BASE + 5000);

    budget.hold(begin(0), 5000);

    expect(dropped).toEqual([]);
  });

  test("a byte more closes the connection, and lets its bytes go", () => {
    const { budget, begin, dropped, connections } = createBudget(BASE + 5000);

    const stream = begin(0);
    budget.hold(stream, 5001);

    expect(dropped).toEqual([connections[0] as Connection]);
    expect(budget.heldBytes).toBe(0);
    expect(stream.hasEnded).toBe(true);
  });

  test("of the same age, the connection with the most bytes goes", () => {
    const { budget, begin, dropped, connections } = createBudget(10_000);
    const [small, large, other] = [begin(0), begin(1), begin(2)];

    budget.hold(small, 1000);
    budget.hold(large, 5000);
    budget.hold(other, 2000);

    expect(dropped).toEqual([connections[1] as Connection]);
  });

  test("many streams of one connection count together", () => {
    const { budget, begin, dropped, connections } = createBudget(10_000);
    for (let stream = 0; stream < 5; stream += 1) budget.hold(begin(0), 600);

    budget.hold(begin(1), 2000);

    expect(dropped).toEqual([connections[0] as Connection]);
  });

  test("what was held long goes before a large message that has just begun", () => {
    const { budget, begin, dropped, connections, clock } = createBudget(10_000);
    budget.hold(begin(0), 1000);
    clock.nowMs = 5000;

    budget.hold(begin(1), 8000);

    expect(dropped).toEqual([connections[0] as Connection]);
    expect(budget.heldBytes).toBe(BASE + 8000);
  });

  test("a call that lasts for hours is not at fault for its age alone", () => {
    const { budget, begin, dropped, connections, clock } = createBudget(50_000);
    begin(0);
    clock.nowMs = 3_600_000;
    const attack = begin(1);
    clock.nowMs += 5000;

    budget.hold(attack, 60_000);

    expect(dropped).toEqual([connections[1] as Connection]);
  });

  test("connections go until it is kept", () => {
    const { budget, begin, dropped, clock } = createBudget(12_000);
    budget.hold(begin(0), 3000);
    budget.hold(begin(1), 3000);
    clock.nowMs = 1000;

    budget.hold(begin(2), 9000);

    expect(dropped).toHaveLength(2);
    expect(budget.heldBytes).toBe(BASE + 9000);
  });
});

// Goal: after any sequence of calls the total is the sum over all streams, and within the budget.
// Method: random calls on four connections; fast-check prints the seed and the shortest sequence.
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
      const streams: OpenStream[] = [begin(0)];
      for (const { act, which, bytes } of sequence) {
        const stream = streams[which % streams.length] as OpenStream;
        if (act === "begin") streams.push(begin(which % 4));
        else if (act === "wait") clock.nowMs += bytes;
        else if (act === "hold") budget.hold(stream, bytes);
        else budget.end(stream);
        const sum = streams.reduce((total, { heldBytes }) => total + heldBytes, 0);
        expect(budget.heldBytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(60_000);
      }
    }),
  );
});
