import { expect, test } from "bun:test";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { waitForSpans, type WaitRequest } from "../../../src/application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, searchedRing } from "../../support/running/searched-ring.ts";

// Goal: a wait whose time is up does what it owes, and what is of help besides only while that is
// no long wait.
// Method: the test moves the clock.

const TIMEOUT_MS = 77_000;
const SPAN_COUNT = 5_000;
const REQUEST = {
  filter: named("span 1"),
  after: 0,
  count: 2,
  timeoutMs: TIMEOUT_MS,
  cancelled: NEVER,
};

/** A ring that takes several looks, of which each is told. */
function lookedThrough(looked: (newestFirst: boolean) => void) {
  const { buffer, arrive, arrivals } = searchedRing();
  arrive(requestOf(SPAN_COUNT));
  const watched = {
    range: buffer.range.bind(buffer),
    copy: buffer.copy.bind(buffer),
    visit: (...[search, visit]: Parameters<typeof buffer.visit>) => {
      looked(search.newestFirst);
      buffer.visit(search, visit);
    },
  };
  return { buffer: watched, arrivals, followed: new Semaphore(1), clock: new DrivenClock() };
}

const WAITS = [
  { of: "spans", wait: waitForSpans },
  {
    of: "a trace",
    wait: (parts: ReturnType<typeof lookedThrough>, request: WaitRequest) =>
      waitForTrace(parts, { ...request, quietMs: 600_000, maxTraces: 1 }),
  },
];

test.each(WAITS)("a wait for $of whose time is just up has near misses", async ({ wait }) => {
  const parts = lookedThrough(() => {});
  const waiting = wait(parts, REQUEST);

  parts.clock.moveMs(TIMEOUT_MS);

  expect(await waiting).toMatchObject({ found: 1, nearest: { count: SPAN_COUNT } });
});

test.each(WAITS)(
  "a wait for $of whose time is long over counts buffered spans, and searches no further",
  async (of) => {
    const looks: boolean[] = [];
    const parts = lookedThrough((newestFirst) => void looks.push(newestFirst));
    const waiting = of.wait(parts, REQUEST);

    parts.clock.moveMs(2 * TIMEOUT_MS);

    expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
    expect(looks).toEqual([false, false, false]);
  },
);

test.each(WAITS)(
  "a wait for $of gives up its search for near misses when its time is long over",
  async ({ wait }) => {
    let looks = 0;
    const parts = lookedThrough((newestFirst) => {
      if (!newestFirst) return;
      looks += 1;
      parts.clock.moveMs(TIMEOUT_MS);
    });
    const waiting = wait(parts, REQUEST);

    parts.clock.moveMs(TIMEOUT_MS);

    expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
    expect(looks).toBe(1);
  },
);
