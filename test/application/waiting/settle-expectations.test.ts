import { expect, test } from "bun:test";
import { settleExpectations } from "../../../src/application/waiting/settle-expectations.ts";
import type { Expectation } from "../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../src/domain/expectation/read-expectation.ts";
import { describedRequests, SHOP } from "../../support/requests/described-spans.ts";
import { NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const expectations = (...texts: string[]) =>
  texts.map((text) => readExpectation(text, 0n) as Expectation);

const UNDER = "name=SELECT* under name='GET /orders'";

test("expectations that lack no span settle at once", async () => {
  const ring = searchedRing();
  const request = { timeoutMs: 600_000, cancelled: NEVER };

  const settling = settleExpectations(ring, expectations("no error anywhere"), request);

  expect(await settling).toMatchObject({ end: "settled" });
});

test("an expectation settles as soon as the span that it lacks has arrived", async () => {
  const ring = searchedRing();
  const [root, ...others] = describedRequests(SHOP);
  const request = { timeoutMs: 600_000, cancelled: NEVER };

  const settling = settleExpectations(ring, expectations(UNDER, "name=email"), request);
  await nextTurn();
  ring.arrive(...others);
  await nextTurn();
  ring.arrive(root!);

  expect(await settling).toMatchObject({ end: "settled" });
});

test("an expectation that is broken does not wait", async () => {
  const ring = searchedRing();
  ring.arrive(...describedRequests(SHOP));
  const request = { timeoutMs: 600_000, cancelled: NEVER };

  const settling = settleExpectations(ring, expectations("name=charge & count=0"), request);

  expect(await settling).toMatchObject({ end: "settled" });
});

test("the wait ends at the time limit, and when it is cancelled", async () => {
  const ring = searchedRing();

  const short = settleExpectations(ring, expectations(UNDER), { timeoutMs: 1, cancelled: NEVER });
  const cancelled = settleExpectations(ring, expectations(UNDER), {
    timeoutMs: 600_000,
    cancelled: AbortSignal.abort(),
  });

  expect(await short).toMatchObject({ end: "time_up" });
  expect(await cancelled).toMatchObject({ end: "cancelled" });
});

test("a wait that could miss spans is refused, because too many are waiting", async () => {
  const ring = searchedRing();
  const arrivals = { ...ring.arrivals, subscribe: () => undefined, seenNext: 1 };

  const settling = settleExpectations({ ...ring, arrivals }, expectations(UNDER), {
    timeoutMs: 600_000,
    cancelled: NEVER,
  });

  expect(await settling).toMatchObject({ end: "no_room" });
});
