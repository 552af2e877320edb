import { describe, expect, test } from "bun:test";
import type {
  TraceWaitParts,
  TraceWaitRequest,
} from "../../../src/application/waiting/wait-for-trace.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import {
  MAX_FOLLOWED,
  named,
  NEVER,
  nextTurn,
  searchedRing,
} from "../../support/running/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../../support/requests/traced-requests.ts";

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
  maxTraces: MAX_FOLLOWED,
  cancelled: NEVER,
};

const orphans = (count: number) =>
  tracedRequests(
    ...Array.from({ length: count }, (_, index) => {
      return { trace: 100 + index, name: "child", parent: SOME_PARENT };
    }),
  );

test("the complete trace is found among as many as can be followed", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(...orphans(MAX_FOLLOWED - 1), CHILD, ROOT);

  const outcome = await waitForTrace(parts, WAIT);

  const sequences = [MAX_FOLLOWED, MAX_FOLLOWED + 1];
  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences } });
});

test("a trace whose matching spans come before `after` is not followed", async () => {
  const { arrive, ...parts } = searchedRing();
  const waiting = waitForTrace(parts, { ...WAIT, filter: named("root"), after: 2 });
  await nextTurn();

  arrive(CHILD, ROOT, ...tracedRequests({ trace: 2, name: "root" }));

  expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [3] } });
});

/** Returns waits that each follow as many traces as requested or present, until they are ended. */
function followers(parts: TraceWaitParts, ...limits: number[]) {
  const canceller = new AbortController();
  const quiet = { ...WAIT, quietMs: 60_000, cancelled: canceller.signal };
  const waiting = limits.map((maxTraces) => waitForTrace(parts, { ...quiet, maxTraces }));
  const end = async (): Promise<void> => {
    canceller.abort();
    await Promise.all(waiting);
  };
  return { end };
}

describe("a wait with more traces than it can follow", () => {
  const FEW = { ...WAIT, maxTraces: 3 };

  test("finds one of those that it follows", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(2), CHILD, ROOT, ...orphans(9));

    const outcome = await waitForTrace(parts, FEW);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [3, 4] } });
  });

  test("finds a followed trace that is complete later", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ...orphans(9));

    const waiting = waitForTrace(parts, FEW);
    await nextTurn();
    arrive(ROOT);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 11] } });
  });

  test("reports that it could not follow all when its time is up", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(3));

    const justEnough = await waitForTrace(parts, { ...FEW, timeoutMs: 20 });
    arrive(CHILD, ROOT);
    const tooMany = [0, 20].map((timeoutMs) => waitForTrace(parts, { ...FEW, timeoutMs }));

    expect(justEnough).toMatchObject({ outcome: "time_up", found: 3 });
    const noRoom = { outcome: "no_room", for: "own_traces" } as const;
    expect(await Promise.all(tooMany)).toEqual([noRoom, noRoom]);
  });

  test("leaves permits to other waits", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MAX_FOLLOWED), CHILD, ROOT);
    const { end } = followers(parts, 60, MAX_FOLLOWED - 60 - 1);
    await nextTurn();

    const found = await waitForTrace(parts, { ...WAIT, filter: named("root") });
    await end();

    expect(found).toMatchObject({ outcome: "found" });
  });
});

describe("when all waits together follow as many traces as they can", () => {
  const NO_ROOM = { outcome: "no_room", for: "all_traces" } as const;
  const FOR_ROOT = { ...WAIT, filter: named("root") };

  test("a wait that cannot follow any trace ends at once", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MAX_FOLLOWED));
    const { end } = followers(parts, MAX_FOLLOWED);
    await nextTurn();
    arrive(CHILD, ROOT);

    const refused = await waitForTrace(parts, FOR_ROOT);
    await end();
    const found = await waitForTrace(parts, FOR_ROOT);

    expect(refused).toEqual(NO_ROOM);
    expect(found).toMatchObject({ outcome: "found" });
  });

  test("a wait without traces ends when its first trace arrives", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MAX_FOLLOWED));
    const { end } = followers(parts, MAX_FOLLOWED);
    const waiting = waitForTrace(parts, FOR_ROOT);
    await nextTurn();

    arrive(ROOT);
    const refused = await waiting;
    await end();

    expect(refused).toEqual(NO_ROOM);
  });

  test("a wait that follows some traces continues with them", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ...orphans(MAX_FOLLOWED));
    const { end } = followers(parts, MAX_FOLLOWED - 1);
    await nextTurn();

    const late = await waitForTrace(parts, { ...WAIT, timeoutMs: 20 });
    const waiting = waitForTrace(parts, WAIT);
    await nextTurn();
    arrive(ROOT);
    const found = await waiting;
    await end();

    expect(late).toEqual(NO_ROOM);
    expect(found).toMatchObject({ outcome: "found", spans: { sequences: [1, 102] } });
  });
});

const NOTHING_ARRIVES = { seenNext: 1, showArrived: () => {} };

test("a wait without room for its filter or its traces reports which", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(CHILD, ROOT);
  const full = { ...parts, arrivals: { ...NOTHING_ARRIVES, subscribe: () => undefined } };
  let left = 1;
  const oneSubscription = {
    ...NOTHING_ARRIVES,
    subscribe: () => ((left -= 1) === 0 ? () => {} : undefined),
  };

  const withoutFilterRoom = await waitForTrace(full, WAIT);
  const withoutTraceRoom = await waitForTrace({ ...parts, arrivals: oneSubscription }, WAIT);

  expect([withoutFilterRoom, withoutTraceRoom]).toEqual([
    { outcome: "no_room", for: "filter" },
    { outcome: "no_room", for: "all_traces" },
  ]);
  expect(parts.followed.takenCount).toBe(0);
});
