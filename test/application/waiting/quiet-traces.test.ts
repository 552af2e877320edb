import { expect, test } from "bun:test";
import type { TraceWaitRequest } from "../../../src/application/waiting/wait-for-trace.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../../support/requests/traced-requests.ts";

// Goal: when a quiet time ends, the answer is one trace that has been quiet, whatever else happens
// at that moment.
// Method: the test moves the clock.

const [CHILD, ROOT, SECOND_CHILD, OTHER_ROOT] = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 1, name: "root" },
  { trace: 1, name: "second", parent: SOME_PARENT },
  { trace: 2, name: "other" },
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

const QUIET_MS = 77_000;

const WAIT: TraceWaitRequest = {
  filter: [],
  after: 0,
  count: 1,
  timeoutMs: 600_000,
  quietMs: QUIET_MS,
  maxTraces: 9,
  cancelled: NEVER,
};

/** Begins a wait on a clock that the test moves, and records what is copied for it. */
function beginToWait() {
  const clock = new DrivenClock();
  const { buffer, arrive, arrivals, followed } = searchedRing();
  const copied: (readonly number[])[] = [];
  const watched = {
    range: buffer.range.bind(buffer),
    visit: buffer.visit.bind(buffer),
    copy: (sequences: readonly number[]) => {
      copied.push(sequences);
      return buffer.copy(sequences);
    },
  };
  const waiting = waitForTrace({ buffer: watched, arrivals, followed, clock }, WAIT);
  return { arrive, waiting, copied, clock };
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

test("one of two traces that become quiet at the same moment is copied and found", async () => {
  const { arrive, waiting, copied, clock } = beginToWait();
  arrive(CHILD, ROOT, OTHER_ROOT);
  await nextTurn();

  clock.moveMs(QUIET_MS);
  const outcome = await waiting;
  await someTurns();

  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  expect(copied).toEqual([[1, 2]]);
});

test("a span that has arrived but is not reported yet restarts the quiet time", async () => {
  const { arrive, waiting, copied, clock } = beginToWait();
  arrive(CHILD, ROOT);
  await nextTurn();

  clock.moveMs(QUIET_MS);
  arrive(SECOND_CHILD);
  await someTurns();
  const copiedAtFirst = [...copied];
  clock.moveMs(QUIET_MS);

  expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2, 3] } });
  expect(copiedAtFirst).toEqual([]);
});

test("a quiet trace without a root is read again after its next span", async () => {
  const { arrive, waiting, copied, clock } = beginToWait();
  arrive(CHILD);
  await nextTurn();
  clock.moveMs(QUIET_MS);
  await someTurns();
  const sleepsMs = clock.sleepsMs;

  arrive(ROOT);
  await someTurns();
  clock.moveMs(QUIET_MS);

  expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  expect(copied).toEqual([[1], [1, 2]]);
  expect(sleepsMs).toEqual([WAIT.timeoutMs - QUIET_MS]);
});
