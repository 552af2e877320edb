import { afterEach, expect, spyOn, test } from "bun:test";
import type { TraceWaitRequest } from "../../../src/application/waiting/followed-traces.ts";
import { waitForTrace } from "../../../src/application/waiting/wait-for-trace.ts";
import { NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { SOME_PARENT, tracedRequests } from "../../support/requests/traced-requests.ts";

// Goal: when a quiet time ends, whatever else happens in that moment, the answer is one trace that
// has been quiet.
// Method: quiet times are so long that none ends by itself; the test ends them.

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

afterEach(() => void spyOn(globalThis, "setTimeout").mockRestore());

/** A wait, what has been copied for it, and the ends of the quiet times that have begun. */
function beginToWait() {
  const started = spyOn(globalThis, "setTimeout");
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
  const waiting = waitForTrace({ buffer: watched, arrivals, followed }, WAIT);
  const quietEnds = () =>
    started.mock.calls
      .filter(([, timeMs]) => timeMs === QUIET_MS)
      .map(([end]) => end as () => void);
  return { arrive, waiting, copied, quietEnds };
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

test("of two traces that are whole in the same moment, one is copied, and answered", async () => {
  const { arrive, waiting, copied, quietEnds } = beginToWait();
  arrive(CHILD, ROOT, OTHER_ROOT);
  await nextTurn();

  for (const end of quietEnds()) end();
  const outcome = await waiting;
  await someTurns();

  expect(quietEnds()).toHaveLength(2);
  expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [1, 2] } });
  expect(copied).toEqual([[1, 2]]);
});

test("a span that has arrived, and was not shown yet, begins the quiet time anew", async () => {
  const { arrive, waiting, copied, quietEnds } = beginToWait();
  arrive(CHILD, ROOT);
  await nextTurn();

  arrive(SECOND_CHILD);
  quietEnds().at(-1)!();
  await someTurns();
  const copiedAtFirst = [...copied];
  quietEnds().at(-1)!();

  expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [1, 2, 3] } });
  expect(copiedAtFirst).toEqual([]);
});
