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

test("of as many traces as can be followed, the complete one is found", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(...orphans(MAX_FOLLOWED - 1), CHILD, ROOT);

  const outcome = await waitForTrace(parts, WAIT);

  const sequences = [MAX_FOLLOWED, MAX_FOLLOWED + 1];
  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences } });
});

test("a trace of spans from before the sequence that was asked for is not followed", async () => {
  const { arrive, ...parts } = searchedRing();
  const waiting = waitForTrace(parts, { ...WAIT, filter: named("root"), after: 2 });
  await nextTurn();

  arrive(CHILD, ROOT, ...tracedRequests({ trace: 2, name: "root" }));

  expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [3] } });
});

/** Waits that follow each as many traces as asked for, or as are there, until they are ended. */
function followers(parts: TraceWaitParts, ...mosts: number[]) {
  const canceller = new AbortController();
  const quiet = { ...WAIT, quietMs: 60_000, cancelled: canceller.signal };
  const waiting = mosts.map((maxTraces) => waitForTrace(parts, { ...quiet, maxTraces }));
  const end = async (): Promise<void> => {
    canceller.abort();
    await Promise.all(waiting);
  };
  return { end };
}

describe("where a wait has more traces than it can follow", () => {
  const FEW = { ...WAIT, maxTraces: 3 };

  test("it answers with one of those that it follows", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(2), CHILD, ROOT, ...orphans(9));

    const outcome = await waitForTrace(parts, FEW);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [3, 4] } });
  });

  test("it answers when one of them is complete, though that is later", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ...orphans(9));

    const waiting = waitForTrace(parts, FEW);
    await nextTurn();
    arrive(ROOT);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 11] } });
  });

  test("its time is up, and it cannot say that none was complete", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(3));

    const justEnough = await waitForTrace(parts, { ...FEW, timeoutMs: 20 });
    arrive(CHILD, ROOT);
    const tooMany = [0, 20].map((timeoutMs) => waitForTrace(parts, { ...FEW, timeoutMs }));

    expect(justEnough).toMatchObject({ outcome: "time_up", found: 3 });
    const noRoom = { outcome: "no_room", for: "own_traces" } as const;
    expect(await Promise.all(tooMany)).toEqual([noRoom, noRoom]);
  });

  test("it leaves the others' places to them", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(...orphans(MAX_FOLLOWED), CHILD, ROOT);
    const { end } = followers(parts, 60, MAX_FOLLOWED - 60 - 1);
    await nextTurn();

    const found = await waitForTrace(parts, { ...WAIT, filter: named("root") });
    await end();

    expect(found).toMatchObject({ outcome: "found" });
  });
});

describe("where all who wait follow as many traces as they can", () => {
  const NO_ROOM = { outcome: "no_room", for: "all_traces" } as const;
  const FOR_ROOT = { ...WAIT, filter: named("root") };

  test("a wait that could follow none is told at once, until the others have ended", async () => {
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

  test("it is told when the first trace arrives", async () => {
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

  test("a wait that follows some goes on with them", async () => {
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

test("a wait whose filter has no room is told so, and one whose traces have none", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(CHILD, ROOT);
  const full = { ...parts, arrivals: { ...NOTHING_ARRIVES, subscribe: () => undefined } };
  let left = 1;
  const oneSubscription = {
    ...NOTHING_ARRIVES,
    subscribe: () => ((left -= 1) === 0 ? () => {} : undefined),
  };

  const ofFilter = await waitForTrace(full, WAIT);
  const ofTrace = await waitForTrace({ ...parts, arrivals: oneSubscription }, WAIT);

  expect([ofFilter, ofTrace]).toEqual([
    { outcome: "no_room", for: "filter" },
    { outcome: "no_room", for: "all_traces" },
  ]);
  expect(parts.followed.takenCount).toBe(0);
});
