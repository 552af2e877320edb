import { describe, expect, test } from "bun:test";
import { waitForTrace, type TraceWaitRequest } from "../../src/application/wait-for-trace.ts";
import { named, NEVER, nextTurn, searchedRing } from "../support/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../support/traced-requests.ts";

const [CHILD, ROOT, SECOND_CHILD, OTHER_ROOT] = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 1, name: "root" },
  { trace: 1, name: "second", parent: SOME_PARENT },
  { trace: 2, name: "other" },
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const WAIT: TraceWaitRequest = {
  filter: named("child"),
  after: 0,
  count: 1,
  timeoutMs: 600_000,
  quietMs: 1,
  cancelled: NEVER,
};

describe("a trace is found", () => {
  test("when it was there before, with all its spans", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, OTHER_ROOT, ROOT, SECOND_CHILD);

    const outcome = await waitForTrace(parts, WAIT);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [1, 3, 4] } });
  });

  test("when its root comes", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD);

    const waiting = waitForTrace(parts, WAIT);
    await nextTurn();
    arrive(ROOT);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  });

  test("when the span that matches comes last", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(ROOT);

    const waiting = waitForTrace(parts, WAIT);
    await nextTurn();
    arrive(CHILD);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  });

  test("when it has as many spans as asked for", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ROOT);

    const waiting = waitForTrace(parts, { ...WAIT, count: 3 });
    await nextTurn();
    arrive(SECOND_CHILD);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2, 3] } });
  });

  test("not before it has been quiet: what comes first is waited for", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ROOT);

    const waiting = waitForTrace(parts, { ...WAIT, quietMs: 30 });
    await nextTurn();
    arrive(SECOND_CHILD);

    expect(await waiting).toMatchObject({ spans: { sequences: [1, 2, 3] } });
  });
});

describe("a trace is not found", () => {
  test.each([
    { name: "without a root", requests: [CHILD, SECOND_CHILD], wait: {}, found: 1 },
    { name: "without a span that matches", requests: [ROOT, OTHER_ROOT], wait: {}, found: 0 },
    { name: "with too few spans", requests: [CHILD, ROOT], wait: { count: 3 }, found: 1 },
    { name: "that came before", requests: [CHILD, ROOT], wait: { after: 1 }, found: 0 },
  ])("$name", async ({ requests, wait, found }) => {
    const { arrive, ...parts } = searchedRing();
    arrive(...requests);

    const outcome = await waitForTrace(parts, { ...WAIT, ...wait, timeoutMs: 20 });

    expect(outcome).toMatchObject({ outcome: "time_up", found });
  });
});

test("of as many traces as can be followed, the complete one is found", async () => {
  const { arrive, ...parts } = searchedRing();
  const orphans = Array.from({ length: 63 }, (_, index) => {
    return { trace: 100 + index, name: "child", parent: SOME_PARENT };
  });
  arrive(...tracedRequests(...orphans), CHILD, ROOT);

  const outcome = await waitForTrace(parts, WAIT);

  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [64, 65] } });
});

test("cancelled, it ends at once", async () => {
  const canceller = new AbortController();
  const waiting = waitForTrace(searchedRing(), { ...WAIT, cancelled: canceller.signal });

  canceller.abort();

  expect(await waiting).toEqual({ outcome: "cancelled" });
});
