import { expect, test } from "bun:test";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { waitForSpans, type WaitRequest } from "../../../src/application/waiting/wait-for-spans.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, searchedRing } from "../../support/running/searched-ring.ts";

// Goal: a wait whose time is up always counts its matches, and searches for near misses only while
// that takes little time.
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

/** Returns a ring that is scanned in several pieces, and reports each of them. */
function scannedRing(scanned: (newestFirst: boolean) => void) {
  const { buffer, arrive, arrivals } = searchedRing();
  arrive(requestOf(SPAN_COUNT));
  const watched = {
    range: buffer.range.bind(buffer),
    copy: buffer.copy.bind(buffer),
    visit: (...[search, visit]: Parameters<typeof buffer.visit>) => {
      scanned(search.newestFirst);
      buffer.visit(search, visit);
    },
  };
  return { buffer: watched, arrivals, followed: new Semaphore(1), clock: new DrivenClock() };
}

const WAITS = [
  { of: "spans", wait: waitForSpans },
  {
    of: "a trace",
    wait: (parts: ReturnType<typeof scannedRing>, request: WaitRequest) =>
      waitForTrace(parts, { ...request, quietMs: 600_000, maxTraces: 1 }),
  },
];

test.each(WAITS)("a wait for $of whose time is just up has near misses", async ({ wait }) => {
  const parts = scannedRing(() => {});
  const waiting = wait(parts, REQUEST);

  parts.clock.moveMs(TIMEOUT_MS);

  expect(await waiting).toMatchObject({ found: 1, nearest: { count: SPAN_COUNT } });
});

test.each(WAITS)(
  "a wait for $of whose time is long over counts spans but searches no near misses",
  async (of) => {
    const scans: boolean[] = [];
    const parts = scannedRing((newestFirst) => void scans.push(newestFirst));
    const waiting = of.wait(parts, REQUEST);

    parts.clock.moveMs(2 * TIMEOUT_MS);

    expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
    expect(scans.length).toBeGreaterThan(1);
    expect(scans).not.toContain(true);
  },
);

test.each(WAITS)(
  "a wait for $of stops searching near misses when its time is long over",
  async ({ wait }) => {
    let scans = 0;
    const parts = scannedRing((newestFirst) => {
      if (!newestFirst) return;
      scans += 1;
      parts.clock.moveMs(TIMEOUT_MS);
    });
    const waiting = wait(parts, REQUEST);

    parts.clock.moveMs(TIMEOUT_MS);

    expect(await waiting).toMatchObject({ outcome: "time_up", found: 1, nearest: undefined });
    expect(scans).toBe(1);
  },
);
