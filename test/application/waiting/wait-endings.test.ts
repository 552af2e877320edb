import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { describe, expect, test } from "bun:test";
import type { TraceWaitParts } from "../../../src/application/waiting/wait-for-trace.ts";
import { tailSpans } from "../../../src/application/waiting/tail-spans.ts";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { waitForSpans, type WaitRequest } from "../../../src/application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { countedArrivals, countedSignal } from "../../support/fakes/counted-listeners.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../../support/requests/traced-requests.ts";

// Goal: a wait that has ended leaves no subscription, which would slow down every later append, no
// listener on a signal that outlives it, and no timer.

const [CHILD, ROOT, SECOND_CHILD, OTHER_ROOT] = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 1, name: "root" },
  { trace: 1, name: "second", parent: SOME_PARENT },
  { trace: 2, name: "other" },
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const LONG_MS = 600_000;
const QUIET_MS = 77_000;
const WAIT: WaitRequest = {
  filter: named("child"),
  after: 0,
  count: 1,
  timeoutMs: LONG_MS,
  cancelled: NEVER,
};

const WAITS = [
  { of: "spans", wait: waitForSpans },
  {
    of: "a trace",
    wait: (parts: Omit<TraceWaitParts, "followed">, request: WaitRequest) =>
      waitForTrace(
        { ...parts, followed: new Semaphore(1) },
        { ...request, quietMs: 1, maxTraces: 1 },
      ),
  },
];

describe.each(WAITS)("a wait for $of leaves no subscription, listener or timer", ({ wait }) => {
  test.each<{ name: string; requests: Uint8Array[]; how: Partial<WaitRequest> }>([
    { name: "when it has found its spans", requests: [CHILD, ROOT], how: {} },
    { name: "when the time is up", requests: [CHILD], how: { count: 9, timeoutMs: 1 } },
    { name: "when no span matches", requests: [], how: { timeoutMs: 1 } },
  ])("$name", async ({ requests, how }) => {
    const { arrive, buffer, arrivals } = searchedRing();
    const [signal, counted] = [countedSignal(), countedArrivals(arrivals)];
    arrive(...requests);

    await wait(
      { buffer, arrivals: counted, clock: SYSTEM_CLOCK },
      { ...WAIT, ...how, cancelled: signal.signal },
    );

    expect([signal.listening(), counted.waiting()]).toEqual([0, 0]);
  });

  test("when it fails to subscribe", async () => {
    const signal = countedSignal();
    const arrivals = {
      seenNext: 1,
      showArrived: () => {},
      subscribe: () => {
        throw new Error("the lock was lost");
      },
    };

    const parts = { buffer: searchedRing().buffer, arrivals, clock: SYSTEM_CLOCK };
    const waiting = wait(parts, { ...WAIT, cancelled: signal.signal });

    expect(await waiting.catch(String)).toBe("Error: the lock was lost");
    expect(signal.listening()).toBe(0);
  });
});

// The ring is scanned in two pieces. In the turn between them, a span of the trace arrives; it is
// reported when the trace, found in the second piece, is subscribed to.
test("a trace is followed once, even if more of its spans arrive in the same turn", async () => {
  const { arrive, buffer, arrivals, followed } = searchedRing();
  const counted = countedArrivals(arrivals);
  arrive(requestOf(2_100, 100), CHILD);

  const waiting = waitForTrace(
    { buffer, arrivals: counted, followed, clock: SYSTEM_CLOCK },
    { ...WAIT, quietMs: 1, maxTraces: 1 },
  );
  arrive(CHILD, ROOT);
  const outcome = await waiting;

  expect(outcome).toMatchObject({ spans: { sequences: [2_101, 2_102, 2_103] } });
  expect(counted.waiting()).toBe(0);
});

test("each span of a trace restarts its quiet time, and other spans do not", async () => {
  const { arrive, arrivals, buffer, followed } = searchedRing();
  const [clock, canceller] = [new DrivenClock(), new AbortController()];
  const request = { ...WAIT, quietMs: QUIET_MS, maxTraces: 1, cancelled: canceller.signal };
  const waiting = waitForTrace({ buffer, arrivals, followed, clock }, request);
  const times: number[][] = [];

  for (const span of [CHILD, OTHER_ROOT, SECOND_CHILD, OTHER_ROOT]) {
    clock.moveMs(QUIET_MS - 1);
    arrive(span);
    arrivals.showArrived();
    await nextTurn();
    times.push(clock.sleepsMs.filter((timeMs) => timeMs <= QUIET_MS));
    clock.moveMs(1);
    await nextTurn();
  }
  canceller.abort();
  await waiting;

  expect(times).toEqual([[QUIET_MS], [], [QUIET_MS], []]);
  expect(clock.sleepsMs).toEqual([]);
});

// A wait may be long, and its copies stay in memory until it ends.
test("a wait copies no span from before `after`", async () => {
  const { arrive, arrivals, buffer } = searchedRing();
  const canceller = new AbortController();
  const copied: (readonly number[])[] = [];
  const watched = {
    range: buffer.range.bind(buffer),
    visit: buffer.visit.bind(buffer),
    copy: (sequences: readonly number[]) => {
      copied.push(sequences);
      return buffer.copy(sequences);
    },
  };

  const request = { ...WAIT, filter: [], after: 3, count: 9, cancelled: canceller.signal };
  const waiting = waitForSpans({ buffer: watched, arrivals, clock: SYSTEM_CLOCK }, request);
  for (let turn = 0; turn < 4; turn += 1) {
    arrive(requestOf(1));
    arrivals.showArrived();
  }
  canceller.abort();
  await waiting;

  expect(copied).toEqual([[4]]);
});

describe("a tail leaves no listener", () => {
  test("between two spans, however often it waits", async () => {
    const { arrive, arrivals, buffer } = searchedRing();
    const [signal, counted] = [countedSignal(), countedArrivals(arrivals)];
    const request = { filter: [], after: 0, cancelled: signal.signal };
    const tail = tailSpans({ buffer, arrivals: counted }, request);

    for (let turn = 0; turn < 5; turn += 1) {
      const piece = tail.next();
      await nextTurn();
      arrive(requestOf(1));
      await piece;
    }

    expect([signal.listening(), counted.waiting()]).toEqual([0, 0]);
  });

  test("when it was cancelled while it waited", async () => {
    const { arrivals, buffer } = searchedRing();
    const [canceller, counted] = [new AbortController(), countedArrivals(arrivals)];
    const request = { filter: [], after: 0, cancelled: canceller.signal };
    const end = tailSpans({ buffer, arrivals: counted }, request).next();
    await nextTurn();
    const whileWaiting = counted.waiting();

    canceller.abort();

    expect(await end).toEqual({ done: true, value: undefined });
    expect([whileWaiting, counted.waiting()]).toEqual([1, 0]);
  });
});
