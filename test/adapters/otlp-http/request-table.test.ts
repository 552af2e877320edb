import { describe, expect, test } from "bun:test";
import { ENVELOPE_BYTES, InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import {
  type BusyReason,
  REQUEST_BYTES,
  type RequestInFlight,
  RequestTable,
} from "../../../src/adapters/otlp-http/request-table.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";

const LIMITS = { connections: 5, connectionsPerAddress: 3, requestMs: 60_000 };

function createTable(capacityBytes = 10_000_000) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const refusals: string[] = [];
  const budget = new InFlightBudget({ capacityBytes, clock });
  const refused = (reason: BusyReason, address: string) => refusals.push(`${reason} ${address}`);
  const table = new RequestTable({ limits: LIMITS, budget, clock, refused });
  const begin = (address: string, port = 1) => table.begin({ address, port });
  const beginIn = (address: string, port = 1) => begin(address, port) as RequestInFlight;
  return { table, budget, clock, refusals, begin, beginIn };
}

/** Returns the message to an abandoned request, or "waited for" while it is not abandoned. */
function fateOf({ earlyAnswer }: RequestInFlight): string {
  return earlyAnswer?.message ?? "waited for";
}

describe("the limit of requests", () => {
  test("refuses those beyond the limit of their address, and not those of others", () => {
    const { begin, beginIn, refusals, table } = createTable();
    for (const port of [1, 2, 3]) beginIn("a", port);

    const refused = begin("a", 4);
    const other = begin("b");

    expect(refused).toMatchObject({ outcome: "busy", retryAfterMs: 1000 });
    expect(other).not.toHaveProperty("outcome");
    expect(refusals).toEqual(["too_many_requests_per_address a"]);
    expect(table.size).toBe(4);
  });

  test("refuses those beyond the total limit", () => {
    const { begin, beginIn, refusals } = createTable();
    for (const address of ["a", "b", "c", "d", "e"]) beginIn(address);

    expect(begin("f")).toMatchObject({ outcome: "busy" });
    expect(refusals).toEqual(["too_many_requests f"]);
  });

  test("has room for one more after a request has ended", () => {
    const { begin, beginIn, table } = createTable();
    const requests = [1, 2, 3].map((port) => beginIn("a", port));

    requests[0]![Symbol.dispose]();
    requests[0]![Symbol.dispose]();

    expect(begin("a")).not.toHaveProperty("outcome");
    expect(begin("a")).toHaveProperty("outcome");
    expect(table.size).toBe(3);
  });
});

describe("the budget", () => {
  test("is charged for a request until it ends", () => {
    const { beginIn, budget } = createTable();

    const request = beginIn("a");
    const held = budget.heldBytes;
    request[Symbol.dispose]();

    expect(held).toBe(REQUEST_BYTES);
    expect(budget.heldBytes).toBe(0);
  });

  test("drops all requests of the connection with the most bytes, and no others", async () => {
    const { beginIn, budget, refusals } = createTable(200_000 - ENVELOPE_BYTES);
    const [one, two, other] = [beginIn("a", 1), beginIn("a", 1), beginIn("a", 2)];

    budget.hold(one.open, 60_000);
    budget.hold(other.open, 80_000);
    budget.hold(two.open, 60_000);

    const fates = [one, two, other].map(fateOf);
    expect(fates.map((fate) => fate.split(",")[0]!)).toEqual([
      "requests in flight take too much memory",
      "requests in flight take too much memory",
      "waited for",
    ]);
    expect(refusals).toEqual(["in_flight_bytes a", "in_flight_bytes a"]);
    expect(budget.heldBytes).toBe(REQUEST_BYTES + 80_000);
  });

  test("identifies a connection by its open requests after another has ended", async () => {
    const { beginIn, budget } = createTable(200_000 - ENVELOPE_BYTES);
    const [ended, one, other] = [beginIn("a", 1), beginIn("a", 1), beginIn("a", 2)];
    ended[Symbol.dispose]();
    const two = beginIn("a", 1);

    budget.hold(one.open, 60_000);
    budget.hold(other.open, 80_000);
    budget.hold(two.open, 60_000);

    const fates = [one, two, other].map(fateOf);
    expect(fates.map((fate) => fate === "waited for")).toEqual([false, false, true]);
  });

  test("does not drop requests that have ended", () => {
    const { beginIn, budget, refusals } = createTable();
    const ended = beginIn("a", 1);
    const open = beginIn("a", 1);
    ended[Symbol.dispose]();

    budget.hold(open.open, 20_000_000);

    expect(refusals).toEqual(["in_flight_bytes a"]);
  });

  test("names responses of the read API if the request would have room without them", () => {
    const { beginIn, budget, refusals } = createTable(2 ** 26);
    const request = beginIn("a");
    budget.noteAnswers(2 ** 25);

    budget.hold(request.open, 2 ** 25 + ENVELOPE_BYTES);

    expect(fateOf(request)).toContain("responses that the read API still sends");
    expect(refusals).toEqual(["in_flight_bytes a"]);
  });

  test("drops a request that exceeds it at its beginning", async () => {
    const { beginIn, budget } = createTable(200_000 - ENVELOPE_BYTES);
    budget.hold(beginIn("a", 1).open, 200_000 - 2 * REQUEST_BYTES + 1);

    const second = beginIn("a", 1);

    expect(fateOf(second)).toContain("too much memory");
    expect(budget.heldBytes).toBe(0);
  });
});

describe("a request that exceeds its time limit", () => {
  test("is abandoned, but not before", async () => {
    const { beginIn, clock, table, refusals } = createTable();
    const early = beginIn("a", 1);
    clock.nowMs = 1000;
    const late = beginIn("a", 2);
    late.arrivedBytes = Infinity;

    clock.nowMs = LIMITS.requestMs;
    table.expire();

    expect(fateOf(early)).toContain("was not complete within REQUEST_TIMEOUT_MS");
    expect(fateOf(late)).toBe("waited for");
    expect(refusals).toEqual(["request_timeout a"]);
  });

  test("is counted once", () => {
    const { beginIn, clock, table, refusals } = createTable();
    beginIn("a");
    clock.nowMs = 2 * LIMITS.requestMs;

    table.expire();
    table.expire();

    expect(refusals).toEqual(["request_timeout a"]);
  });
});

describe("a body that arrives at less than 1 KiB a second", () => {
  test("is abandoned after two seconds, but not before", async () => {
    const { beginIn, clock, table, refusals } = createTable();
    const slow = beginIn("a", 1);
    slow.arrivedBytes = 2047;

    clock.nowMs = 1999;
    table.expire();
    const before = fateOf(slow);
    clock.nowMs = 2000;
    table.expire();

    expect(before).toBe("waited for");
    expect(fateOf(slow)).toContain("came at less than 1 KiB a second");
    expect(refusals).toEqual(["request_timeout a"]);
  });

  test.each([
    { name: "one at that rate", arrivedBytes: 2048 },
    { name: "one that is awaited no more", arrivedBytes: Infinity },
  ])("is not $name", async ({ arrivedBytes }) => {
    const { beginIn, clock, table } = createTable();
    const request = beginIn("a", 1);
    request.arrivedBytes = arrivedBytes;

    clock.nowMs = 2000;
    table.expire();

    expect(fateOf(request)).toBe("waited for");
  });
});

describe("the peer of a request", () => {
  test("is not asked for if the request ends in the turn in which it begins", async () => {
    const { table } = createTable();
    const { peer, asked } = countedPeer();
    const request = table.begin(peer) as RequestInFlight;

    request[Symbol.dispose]();
    await endOfTurn();

    expect(asked()).toBe(0);
  });

  test("is asked for at the end of the turn if the request has not ended", async () => {
    const { table } = createTable();
    const { peer, asked } = countedPeer();
    table.begin(peer);
    const before = asked();

    await endOfTurn();

    expect(before).toBe(0);
    expect(asked()).toBe(1);
  });

  test("is asked for at once if one more request could exceed a limit", () => {
    const { table, refusals } = createTable();
    const { peer, asked } = countedPeer();
    for (let begun = 0; begun < 3; begun += 1) table.begin(peer);
    const before = asked();

    table.begin(peer);

    expect(before).toBe(0);
    expect(asked()).toBeGreaterThan(3);
    expect(refusals).toEqual(["too_many_requests_per_address a"]);
  });
});

/** Returns a peer that counts how often it is asked for its address. */
function countedPeer() {
  let asked = 0;
  const peer = {
    port: 1,
    get address() {
      asked += 1;
      return "a";
    },
  };
  return { peer, asked: () => asked };
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

test("a listener that comes after an abandonment is called at once, with the first answer", () => {
  const { beginIn, clock, table } = createTable();
  const request = beginIn("a");
  clock.nowMs = LIMITS.requestMs;
  table.expire();
  table.stop();
  const answers: string[] = [];

  request.onAbandoned(({ outcome }) => answers.push(outcome));

  expect(answers).toEqual(["busy"]);
});

test("ended requests and their connections leave no entries", async () => {
  const { beginIn, table } = createTable();
  const requests = [beginIn("a", 1), beginIn("a", 1), beginIn("a", 2), beginIn("b", 1)];
  const during = countEntries(table);

  for (const request of requests) request[Symbol.dispose]();
  await endOfTurn();

  expect(during).toBeGreaterThanOrEqual(requests.length);
  expect(countEntries(table)).toBe(0);
});

test("stop() answers every request, and counts none as refused", async () => {
  const { beginIn, table, refusals } = createTable();
  const requests = [beginIn("a"), beginIn("b")];

  table.stop();

  const outcomes = requests.map(({ earlyAnswer }) => earlyAnswer?.outcome);
  expect(outcomes).toEqual(["stopping", "stopping"]);
  expect(refusals).toEqual([]);
});
