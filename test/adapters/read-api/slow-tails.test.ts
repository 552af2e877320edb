import { expect, test } from "bun:test";
import { follow, sequencesIn } from "../../support/running/followed-tail.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";
import { openPausedReader } from "../../support/running/paused-reader.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

stopReadApisAfterEach();

// Far more spans pass through the ring than fit into the sockets.
test("a reader that stops reading misses spans, and learns their number in order", async () => {
  const run = runReadApi({ spanCount: 0, capacity: { spans: 1_000, bytes: 2 ** 20 } });
  const reader = await openPausedReader(run.api.port, "/api/tail");
  const rounds = 200;

  for (let round = 0; round < rounds; round += 1) {
    run.put(requestOf(1_000));
    await nextTurn();
  }
  const text = await reader.readUntil(`"sequence":${rounds * 1_000},`);
  reader.close();

  const counts = Array.from(text.matchAll(/^\{"missed":(\d+)\}$/gm), ([, count]) => Number(count));
  const sequences = sequencesIn(text);
  const missed = counts.reduce((total, count) => total + count, 0);
  expect(missed).toBeGreaterThan(100_000);
  expect(sequences.length + missed).toBe(rounds * 1_000);
  expect(sequences).toEqual([...new Set(sequences)].toSorted((one, other) => one - other));
});

const MANY_SPANS = requestOf(1_000);

/** Runs a read API with one tail permit, and `stall()`, which fills the sockets of a reader. */
function runForOneTail() {
  const clock = new HandMovedClock();
  const timeReads = { count: 0 };
  const monotonicMs = () => {
    timeReads.count += 1;
    return clock.monotonicMs();
  };
  const capacity = { spans: 1_000, bytes: 2 ** 20 };
  const run = runReadApi({
    spanCount: 0,
    capacity,
    maxTails: 1,
    clock: { ...PATIENT_CLOCK, monotonicMs },
  });
  // Each chunk reads the time. After a chunk is consumed, the next one follows within a few turns.
  const stall = async (): Promise<void> => {
    for (let [turn, last] = [0, 0]; turn - last < 50; turn += 1) {
      const { count } = timeReads;
      run.put(MANY_SPANS);
      await nextTurn();
      if (timeReads.count > count) last = turn;
    }
  };
  return { run, clock, stall };
}

test("a reader that has stalled for a minute loses its permit to another", async () => {
  const { run, clock, stall } = runForOneTail();
  const reader = await openPausedReader(run.api.port, "/api/tail");
  await stall();

  clock.moveMs(59_999);
  const early = await run.request("/api/tail");
  clock.moveMs(1);
  const { response } = await follow(run);
  const closed = reader.readUntilClosed();

  expect([early.status, response.status]).toEqual([503, 200]);
  expect(await closed).not.toEndWith("\r\n0\r\n\r\n");
  expect(run.api.counts()).toMatchObject({ tails: 1, requestsInFlight: 1 });
  expect(run.logger.lines).toEqual([]);
});

test("a stalled reader that disconnects releases its bytes", async () => {
  const { run, stall } = runForOneTail();
  const reader = await openPausedReader(run.api.port, "/api/tail");
  await stall();

  const { answerBytes } = run.api.counts();
  reader.close();
  while (run.api.counts().tails > 0) await nextTurn();

  expect(answerBytes).toBeGreaterThan(0);
  expect(run.api.counts()).toMatchObject({ answerBytes: 0, requestsInFlight: 0 });
});

test("a stalled reader continues if no other needed its permit", async () => {
  const { run, clock, stall } = runForOneTail();
  const reader = await openPausedReader(run.api.port, "/api/tail");
  await stall();

  clock.moveMs(3_600_000);
  run.put(MANY_SPANS);
  const text = await reader.readUntil(`"sequence":${run.ring.range().next - 1},`);
  reader.close();

  expect(text).toMatch(/^\{"missed":\d+\}$/m);
});

test("a reader that has consumed everything keeps its permit in a long silence", async () => {
  const { run, clock } = runForOneTail();
  const { next } = await follow(run);

  clock.moveMs(3_600_000);
  const refused = await run.request("/api/tail");
  run.put(requestOf(1));

  expect(refused.status).toBe(503);
  expect(sequencesIn(await next("\n"))).toEqual([1]);
});
