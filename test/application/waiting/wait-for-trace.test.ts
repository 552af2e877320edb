import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { afterEach, describe, expect, jest, test } from "bun:test";
import type { TraceWaitRequest } from "../../../src/application/waiting/wait-for-trace.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  MAX_FOLLOWED,
  named,
  NEVER,
  nextTurn,
  type SearchedRing,
  searchedRing,
} from "../../support/running/searched-ring.ts";
import { SOME_PARENT, traceHex, tracedRequests } from "../../support/requests/traced-requests.ts";

const [CHILD, ROOT, SECOND_CHILD, OTHER_ROOT] = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 1, name: "root" },
  { trace: 1, name: "second", parent: SOME_PARENT },
  { trace: 2, name: "other" },
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const OTHER_CHILDREN = tracedRequests(
  { trace: 3, name: "child", parent: SOME_PARENT },
  { trace: 4, name: "child", parent: SOME_PARENT },
);

const WAIT: TraceWaitRequest = {
  filter: named("child"),
  after: 0,
  count: 1,
  timeoutMs: 600_000,
  quietMs: 1,
  maxTraces: MAX_FOLLOWED,
  cancelled: NEVER,
};

afterEach(() => void jest.useRealTimers());

describe("a trace is found", () => {
  test("with all its spans if it is buffered already", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, OTHER_ROOT, ROOT, SECOND_CHILD);

    const outcome = await waitForTrace(parts, WAIT);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [1, 3, 4] } });
  });

  test("when its root arrives", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD);

    const waiting = waitForTrace(parts, WAIT);
    await nextTurn();
    arrive(ROOT);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  });

  test("if the matching span arrives last", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(ROOT);

    const waiting = waitForTrace(parts, WAIT);
    await nextTurn();
    arrive(CHILD);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  });

  test("when it has as many spans as requested", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ROOT);

    const waiting = waitForTrace(parts, { ...WAIT, count: 3 });
    await nextTurn();
    arrive(SECOND_CHILD);

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2, 3] } });
  });

  test("after it has been quiet, and not before", async () => {
    jest.useFakeTimers();
    const { arrive, ...parts } = searchedRing();
    arrive(CHILD, ROOT);

    const waiting = waitForTrace(parts, { ...WAIT, quietMs: 30 });
    await nextTurn();
    jest.advanceTimersByTime(29);
    arrive(SECOND_CHILD);
    await nextTurn();
    jest.advanceTimersByTime(30);

    expect(await waiting).toMatchObject({ spans: { sequences: [1, 2, 3] } });
  });
});

test("a span that arrives while a quiet trace is read restarts the quiet time", async () => {
  const { arrive, buffer, arrivals, followed } = searchedRing();
  arrive(CHILD, ROOT);
  let reads = 0;
  const disturbed = {
    range: buffer.range.bind(buffer),
    visit: buffer.visit.bind(buffer),
    copy: (sequences: readonly number[]) => {
      const copied = buffer.copy(sequences);
      reads += 1;
      if (reads === 1) arrive(SECOND_CHILD);
      return copied;
    },
  };

  const outcome = await waitForTrace(
    { buffer: disturbed, arrivals, followed, clock: SYSTEM_CLOCK },
    WAIT,
  );

  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [1, 2, 3] } });
  expect(reads).toBe(2);
});

describe("a trace is not found", () => {
  test.each([
    {
      name: "without a root, and its missing parent is reported",
      requests: [CHILD, SECOND_CHILD],
      wait: {},
      found: 1,
      incomplete: {
        traceCount: 1,
        traceId: traceHex(1),
        spanCount: 2,
        hasRoot: false,
        missingParents: [Uint8Array.from(SOME_PARENT).toHex()],
      },
    },
    {
      name: "without a span that matches",
      requests: [ROOT, OTHER_ROOT],
      wait: {},
      found: 0,
      incomplete: undefined,
    },
    {
      name: "with too few spans",
      requests: [CHILD, ROOT],
      wait: { count: 3 },
      found: 1,
      incomplete: { traceCount: 1, hasRoot: true, spanCount: 2 },
    },
    {
      name: "if it arrived before `after`",
      requests: [CHILD, ROOT],
      wait: { after: 1 },
      found: 0,
      incomplete: undefined,
    },
    {
      name: "if several are incomplete, and one is described",
      requests: [CHILD, ...OTHER_CHILDREN],
      wait: {},
      found: 3,
      incomplete: { traceCount: 3, traceId: traceHex(1), hasRoot: false },
    },
  ])("$name", async ({ requests, wait, found, incomplete }) => {
    const { arrive, ...parts } = searchedRing();
    arrive(...requests);

    const outcome = await waitForTrace(parts, { ...WAIT, ...wait, timeoutMs: 20 });

    expect(outcome).toMatchObject({ outcome: "time_up", found, incomplete });
  });
});

/** Returns a ring whose matching span is far beyond the first scanned piece. */
function largeRing() {
  const ring = searchedRing({ spans: 200_001, bytes: 1 << 24 });
  const many = requestOf(20_000, 100);
  ring.arrive(...Array.from({ length: 10 }, () => many), CHILD);
  return ring;
}

/** Counts the subscriptions. */
function countedArrivals({ arrivals }: Pick<SearchedRing, "arrivals">) {
  const counted = {
    open: 0,
    get seenNext() {
      return arrivals.seenNext;
    },
    showArrived: () => arrivals.showArrived(),
    subscribe: (...request: Parameters<typeof arrivals.subscribe>) => {
      const unsubscribe = arrivals.subscribe(...request);
      counted.open += 1;
      return () => {
        counted.open -= 1;
        unsubscribe?.();
      };
    },
  };
  return counted;
}

test("a wait that ends before the buffer is scanned follows no trace", async () => {
  const { buffer, followed, ...ring } = largeRing();
  const arrivals = countedArrivals(ring);

  await waitForTrace(
    { buffer, arrivals, followed, clock: SYSTEM_CLOCK },
    { ...WAIT, cancelled: AbortSignal.abort() },
  );
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();

  expect(arrivals.open).toBe(0);
});

test("all matching buffered spans count, however short the time is", async () => {
  const { arrive: _, ...parts } = largeRing();

  const outcome = await waitForTrace(parts, { ...WAIT, timeoutMs: 0 });

  expect(outcome).toMatchObject({ outcome: "time_up", found: 1 });
});

test.each([
  { name: "it was found", wait: {} },
  { name: "the time was up", wait: { count: 9, timeoutMs: 20 } },
  { name: "it was cancelled", wait: { cancelled: AbortSignal.abort() } },
])("a wait leaves no subscription if $name", async ({ wait }) => {
  const { arrive, buffer, followed, ...ring } = searchedRing();
  arrive(CHILD, ROOT);
  const arrivals = countedArrivals(ring);

  await waitForTrace({ buffer, arrivals, followed, clock: SYSTEM_CLOCK }, { ...WAIT, ...wait });

  expect(arrivals.open).toBe(0);
});

test.each([
  { name: "when it is scanned", comesAfter: 0 },
  { name: "when a span arrives", comesAfter: 1 },
])("a wait fails if the ring cannot be read $name", async ({ comesAfter }) => {
  const { arrive, buffer, arrivals, followed } = searchedRing();
  let visits = 0;
  const broken = {
    range: () => ({ first: 1, next: comesAfter === 0 ? 2 : 1 }),
    copy: buffer.copy.bind(buffer),
    visit: () => {
      visits += 1;
      throw new Error("the lock was lost");
    },
  };

  const waiting = waitForTrace(
    { buffer: broken, arrivals, followed, clock: SYSTEM_CLOCK },
    WAIT,
  ).catch(String);
  await nextTurn();
  arrive(CHILD);
  arrivals.showArrived();

  expect(await waiting).toBe("Error: the lock was lost");
  expect(visits).toBe(1);
});

function outOfMemory(): never {
  throw new Error("no memory is left");
}

test("a wait fails if a quiet trace cannot be read", async () => {
  const { arrive, buffer, arrivals, followed } = searchedRing();
  arrive(CHILD, ROOT);
  const broken = {
    copy: outOfMemory,
    range: buffer.range.bind(buffer),
    visit: buffer.visit.bind(buffer),
  };

  const waiting = waitForTrace({ buffer: broken, arrivals, followed, clock: SYSTEM_CLOCK }, WAIT);

  expect(await waiting.catch(String)).toBe("Error: no memory is left");
});

test("a cancelled wait ends at once", async () => {
  const canceller = new AbortController();
  const waiting = waitForTrace(searchedRing(), { ...WAIT, cancelled: canceller.signal });

  canceller.abort();

  expect(await waiting).toEqual({ outcome: "cancelled" });
});
