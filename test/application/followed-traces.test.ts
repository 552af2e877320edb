import { describe, expect, test } from "bun:test";
import type { TraceWaitRequest } from "../../src/application/followed-traces.ts";
import { waitForTrace } from "../../src/application/wait-for-trace.ts";
import { MOST_FOLLOWED, named, NEVER, nextTurn, searchedRing } from "../support/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../support/traced-requests.ts";

const [CHILD, ROOT] = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 1, name: "root" },
) as [Uint8Array, Uint8Array];

const WAIT: TraceWaitRequest = {
  filter: named("child"),
  after: 0,
  count: 1,
  timeoutMs: 600_000,
  quietMs: 1,
  cancelled: NEVER,
};

const orphans = (count: number) =>
  tracedRequests(
    ...Array.from({ length: count }, (_, index) => {
      return { trace: 100 + index, name: "child", parent: SOME_PARENT };
    }),
  );

test("of as many traces as can be followed, the complete one is found", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(...orphans(MOST_FOLLOWED - 1), CHILD, ROOT);

  const outcome = await waitForTrace(parts, WAIT);

  const sequences = [MOST_FOLLOWED, MOST_FOLLOWED + 1];
  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences } });
});

describe("where there are more traces than can be followed, it is told at once", () => {
  const NO_ROOM = { outcome: "no_room", for: "trace" } as const;

  test.each([
    { name: "when they are there", timeoutMs: 600_000 },
    { name: "however short the time", timeoutMs: 0 },
  ])("$name", async ({ timeoutMs }) => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MOST_FOLLOWED), CHILD, ROOT);

    expect(await waitForTrace(parts, { ...WAIT, quietMs: 60_000, timeoutMs })).toEqual(NO_ROOM);
  });

  test("when they arrive", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MOST_FOLLOWED));

    const waiting = waitForTrace(parts, { ...WAIT, quietMs: 60_000 });
    await nextTurn();
    arrive(CHILD);

    expect(await waiting).toEqual(NO_ROOM);
  });

  test("also when others follow them, until these have ended", async () => {
    const { arrive, ...parts } = searchedRing();
    const canceller = new AbortController();
    arrive(...orphans(MOST_FOLLOWED));
    const other = waitForTrace(parts, { ...WAIT, quietMs: 60_000, cancelled: canceller.signal });
    await nextTurn();
    arrive(CHILD, ROOT);
    const request = { ...WAIT, filter: named("root") };

    const refused = await waitForTrace(parts, request);
    canceller.abort();
    await other;
    const found = await waitForTrace(parts, request);

    expect(refused).toEqual(NO_ROOM);
    expect(found).toMatchObject({ outcome: "found" });
  });
});

test("a wait whose filter has no room is told so, and one whose traces have none", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(CHILD, ROOT);
  const full = { ...parts, arrivals: { seenNext: 1, subscribe: () => undefined } };
  let left = 1;
  const oneSubscription = {
    seenNext: 1,
    subscribe: () => ((left -= 1) === 0 ? () => {} : undefined),
  };

  const ofFilter = await waitForTrace(full, WAIT);
  const ofTrace = await waitForTrace({ ...parts, arrivals: oneSubscription }, WAIT);

  expect([ofFilter, ofTrace]).toEqual([
    { outcome: "no_room", for: "filter" },
    { outcome: "no_room", for: "trace" },
  ]);
});
