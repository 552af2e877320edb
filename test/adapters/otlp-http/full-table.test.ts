import { describe, expect, test } from "bun:test";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import {
  isGivenUp,
  REQUEST_BYTES,
  type RequestInFlight,
  RequestTable,
} from "../../../src/adapters/otlp-http/request-table.ts";

const LIMITS = { connections: 5, connectionsPerAddress: 4, requestMs: 60_000 };

/** Fills a table: `a` has three requests, and `b` two. */
function createFullTable() {
  const clock = { monotonicMs: () => 0 };
  const refusals: string[] = [];
  const budget = new InFlightBudget({ capacityBytes: 10_000_000, clock });
  const refused = (reason: string, address: string) => refusals.push(`${reason} ${address}`);
  const table = new RequestTable({ limits: LIMITS, budget, clock, refused });
  const begin = (address: string, port = 1) => table.begin({ address, port });
  const beginIn = (address: string, port = 1) => begin(address, port) as RequestInFlight;
  const crowd = [1, 2, 3].map((port) => beginIn("a", port));
  const few = [1, 2].map((port) => beginIn("b", port));
  return { table, budget, refusals, begin, beginIn, crowd, few };
}

describe("a request beyond the total limit, of an address with few", () => {
  test("takes the place of the oldest one of the address with most", () => {
    const { beginIn, crowd, few, refusals, table, budget } = createFullTable();

    const next = beginIn("c");

    const given = [...crowd, ...few, next].filter((each) => isGivenUp(each));
    expect(given).toEqual([crowd[0]!]);
    expect(crowd[0]!.earlyAnswer?.message).toContain("too many requests are in flight");
    expect(refusals).toEqual(["too_many_requests a"]);
    expect([table.size, budget.heldBytes]).toEqual([5, 5 * REQUEST_BYTES]);
  });

  test("leaves requests whose bodies have arrived", () => {
    const { beginIn, crowd } = createFullTable();
    crowd[0]!.arrivedBytes = Infinity;

    beginIn("c");

    expect(crowd.map((each) => isGivenUp(each))).toEqual([false, true, false]);
  });

  test("is refused if all of their bodies have arrived", () => {
    const { begin, crowd, refusals, table } = createFullTable();
    for (const each of crowd) each.arrivedBytes = Infinity;

    expect(begin("c")).toMatchObject({ outcome: "busy", retryAfterMs: 1000 });
    expect(refusals).toEqual(["too_many_requests c"]);
    expect(table.size).toBe(5);
  });

  test("is refused if its address would then have as many", () => {
    const { begin, beginIn, crowd } = createFullTable();

    beginIn("c");
    const refused = begin("c", 2);

    expect(refused).toMatchObject({ outcome: "busy" });
    expect(crowd.map((each) => isGivenUp(each))).toEqual([true, false, false]);
  });

  test("leaves no charge of the other one when that is answered", () => {
    const { beginIn, crowd, table, budget } = createFullTable();
    beginIn("c");

    budget.hold(crowd[0]!.open, 1000);
    crowd[0]![Symbol.dispose]();

    expect([table.size, budget.heldBytes]).toEqual([5, 5 * REQUEST_BYTES]);
  });
});
