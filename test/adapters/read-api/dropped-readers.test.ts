import { expect, test } from "bun:test";
import { openPausedReader } from "../../support/running/paused-reader.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  runReadApi,
  type RunningReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

// Goal: readers that disconnect in the middle of an answer leak nothing.
// Method: many readers of each kind disconnect, some at a time; then the gauges must fall to zero.
const AT_A_TIME = 25;
const ROUNDS = 500 / AT_A_TIME;

/** Larger than the buffers of two sockets, so that an answer is still held when its reader goes. */
const LARGE_RING = { spans: 200_000, bytes: 2 ** 24 };

const IDLE = { requestsInFlight: 0, waits: 0, tails: 0, answerBytes: 0 };

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => void setImmediate(resolve));
}

function gaugesOf({ api }: RunningReadApi): typeof IDLE {
  const { requestsInFlight, waits, tails, answerBytes } = api.counts();
  return { requestsInFlight, waits, tails, answerBytes };
}

async function untilIdle(run: RunningReadApi): Promise<void> {
  await until(() => Bun.deepEquals(gaugesOf(run), IDLE));
}

test.each([
  {
    kind: "waits",
    path: "/api/wait?count=9000&after=50000&timeout=10m",
    gauge: "waits",
    minimum: 25,
  },
  { kind: "queries", path: "/api/spans?name=none", gauge: "requestsInFlight", minimum: 1 },
  { kind: "summaries", path: "/api/traces", gauge: "answerBytes", minimum: 1 },
] as const)("$kind whose readers disconnect before the answer leave nothing", async (given) => {
  const run = runReadApi({ spanCount: 0, capacity: LARGE_RING, answerBudgetBytes: 2 ** 40 });
  run.put(requestOf(50_000));

  for (let round = 0; round < ROUNDS; round += 1) {
    const aborting = new AbortController();
    const init = { signal: aborting.signal };
    const answers = Array.from({ length: AT_A_TIME }, () => run.request(given.path, init));
    await until(() => gaugesOf(run)[given.gauge] >= given.minimum);
    aborting.abort();
    await Promise.allSettled(answers);
  }
  await untilIdle(run);

  expect(run.logger.lines).toEqual([]);
});

test.each([
  { kind: "tails", path: "/api/tail?after=0", atATime: AT_A_TIME, rounds: ROUNDS, gauge: "tails" },
  // Few readers, because each answer has 18 MB.
  {
    kind: "answers",
    path: "/api/spans?limit=200000",
    atATime: 3,
    rounds: 16,
    gauge: "answerBytes",
  },
] as const)("$kind whose readers disconnect during the answer leave nothing", async (given) => {
  const { atATime, rounds } = given;
  const parts = { maxTails: atATime * rounds, answerBudgetBytes: 2 ** 40 };
  const run = runReadApi({ spanCount: 0, capacity: LARGE_RING, ...parts });
  run.put(requestOf(200_000));
  const peaks: number[] = [];

  for (let round = 0; round < rounds; round += 1) {
    const opening = Array.from({ length: atATime }, () =>
      openPausedReader(run.api.port, given.path),
    );
    const readers = await Promise.all(opening);
    peaks.push(gaugesOf(run)[given.gauge]);
    for (const reader of readers) reader.close();
  }
  await untilIdle(run);

  expect(Math.min(...peaks)).toBeGreaterThanOrEqual(atATime);
  expect(run.logger.lines).toEqual([]);
});
