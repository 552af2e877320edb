import { afterEach, expect, spyOn, test } from "bun:test";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { waitForSpans, type WaitRequest } from "../../../src/application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, searchedRing } from "../../support/running/searched-ring.ts";

// Goal: a wait whose time is up does what it owes, and what is of help besides only while that is
// no long wait.
// Method: the time is so long that it does not end by itself; the test ends it.

const TIMEOUT_MS = 77_000;
const SPAN_COUNT = 5_000;
const REQUEST = {
  filter: named("span 1"),
  after: 0,
  count: 2,
  timeoutMs: TIMEOUT_MS,
  cancelled: NEVER,
};

afterEach(() => void spyOn(globalThis, "setTimeout").mockRestore());

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
  return { buffer: watched, arrivals, followed: new Semaphore(1) };
}

/** Ends the time, and what is given beyond it. */
function endedTimes() {
  const started = spyOn(globalThis, "setTimeout");
  const end = (which: number): void => {
    const times = started.mock.calls.filter(([, timeMs]) => timeMs === TIMEOUT_MS);
    (times[which]![0] as () => void)();
  };
  return { end };
}

const WAITS = [
  { of: "spans", wait: waitForSpans },
  {
    of: "a trace",
    wait: (parts: ReturnType<typeof lookedThrough>, request: WaitRequest) =>
      waitForTrace(parts, { ...request, quietMs: 600_000, maxTraces: 1 }),
  },
];

test.each(WAITS)("when the time for $of is just up, there are near misses", async ({ wait }) => {
  const { end } = endedTimes();
  const waiting = wait(
    lookedThrough(() => {}),
    REQUEST,
  );

  end(0);

  expect(await waiting).toMatchObject({ found: 1, nearest: { count: SPAN_COUNT } });
});

test.each(WAITS)("when it is long over, what was there for $of counts, and no more", async (of) => {
  const { end } = endedTimes();
  const looks: boolean[] = [];
  const waiting = of.wait(
    lookedThrough((newestFirst) => void looks.push(newestFirst)),
    REQUEST,
  );

  end(0);
  end(1);

  expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
  expect(looks).toEqual([false, false, false]);
});

test.each(WAITS)("near misses of $of are given up while they are looked for", async ({ wait }) => {
  const { end } = endedTimes();
  let looks = 0;
  const looked = (newestFirst: boolean): void => {
    if (!newestFirst) return;
    looks += 1;
    end(1);
  };
  const waiting = wait(lookedThrough(looked), REQUEST);

  end(0);

  expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
  expect(looks).toBe(1);
});
