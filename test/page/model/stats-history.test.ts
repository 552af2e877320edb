import { expect, test } from "bun:test";
import type { Stats } from "../../../src/page/model/stats.ts";
import {
  addStats,
  linePath,
  MEAN_SECONDS,
  NO_HISTORY,
  ratesAt,
  ratesOf,
  scaleEnd,
  type StatsHistory,
  WINDOW_SECONDS,
} from "../../../src/page/model/stats-history.ts";

interface Counts {
  readonly received?: number;
  readonly evicted?: number;
  readonly delivered?: number;
}

function statsAt(seconds: number, counts: Counts = {}, run = "a"): Stats {
  const spans = { received: 0, evicted: 0, delivered: 0, ...counts };
  return { sequence: { run_id: run }, uptime_seconds: seconds, spans } as Stats;
}

/** Returns the history of one sample a second, with ten spans received in each. */
function steadyHistory(seconds: number): StatsHistory {
  return Array.from({ length: seconds + 1 }, (_, at) => at).reduce(
    (history, at) => addStats(history, statsAt(at, { received: 10 * at })),
    NO_HISTORY,
  );
}

/** Returns the history of one sample a second, with 100 spans received in the tenth one. */
function burstHistory(samples: number): StatsHistory {
  return Array.from({ length: samples }, (_, at) => at).reduce(
    (known, at) => addStats(known, statsAt(at, { received: at < 10 ? 0 : 100 })),
    NO_HISTORY,
  );
}

test("a rate needs two samples", () => {
  expect(ratesOf(NO_HISTORY)).toEqual([]);
  expect(ratesOf(steadyHistory(0))).toEqual([]);
  expect(ratesOf(steadyHistory(1))).toEqual([
    { ageSeconds: 0, received: 10, evicted: 0, delivered: 0 },
  ]);
});

test("each count has its own rate", () => {
  const history = addStats(
    addStats(NO_HISTORY, statsAt(10, { received: 100, evicted: 20, delivered: 5 })),
    statsAt(12, { received: 140, evicted: 30, delivered: 6 }),
  );

  expect(ratesOf(history)).toEqual([{ ageSeconds: 0, received: 20, evicted: 5, delivered: 0.5 }]);
});

test("a batch counts for the time of a mean, and no longer", () => {
  const received = ratesOf(burstHistory(20)).map((each) => each.received);

  expect(received.filter((rate) => rate > 0)).toEqual(
    Array.from({ length: MEAN_SECONDS }, () => 100 / MEAN_SECONDS),
  );
  expect(received[9]).toBe(20);
});

test("a rate does not change as time passes", () => {
  const before = ratesOf(burstHistory(50)).map(({ received }) => received);
  const after = ratesOf(burstHistory(60)).map(({ received }) => received);

  expect(after.slice(0, before.length)).toEqual(before);
});

test("after a gap, such as of a hidden tab, the rate is the mean of the gap", () => {
  const history = addStats(steadyHistory(3), statsAt(103, { received: 1030 }));

  expect(ratesOf(history).at(-1)).toMatchObject({ ageSeconds: 0, received: 10 });
  expect(ratesOf(history).at(-2)).toMatchObject({ ageSeconds: 100 });
});

test("the history ends with the window", () => {
  const history = steadyHistory(3 * WINDOW_SECONDS);
  const rates = ratesOf(history);

  expect(history.samples.length).toBe(WINDOW_SECONDS + MEAN_SECONDS + 1);
  expect(rates[0]!.ageSeconds).toBe(WINDOW_SECONDS);
  expect(rates.map(({ received }) => received)).toEqual(rates.map(() => 10));
});

test("a restart begins a new history", () => {
  const history = addStats(steadyHistory(50), statsAt(1, { received: 7 }, "b"));

  expect(history.samples).toHaveLength(1);
  expect(history.latest?.spans.received).toBe(7);
});

test("a sample that is not newer is no reason to divide by zero", () => {
  const history = addStats(steadyHistory(2), statsAt(2, { received: 25 }));

  expect(ratesOf(history).map(({ received }) => received)).toEqual([10, 12.5]);
});

test.each([
  [0, 1],
  [0.4, 1],
  [1.2, 1.5],
  [99, 100],
  [240, 300],
  [6100, 8000],
  [9000, 10_000],
])("a scale up to %d ends at %d", (greatest, end) => {
  expect(scaleEnd(greatest)).toBe(end);
});

test("a line ends at the right edge, and its height is the rate", () => {
  const rates = [
    { ageSeconds: WINDOW_SECONDS / 2, received: 50, evicted: 0, delivered: 0 },
    { ageSeconds: 0, received: 100, evicted: 0, delivered: 0 },
  ];

  expect(linePath(rates, "received", 100)).toBe("M50.00 50.00L100.00 0.00");
  expect(linePath(rates, "evicted", 100)).toBe("M50.00 100.00L100.00 100.00");
  expect(linePath([], "received", 100)).toBe("");
});

test("the rates nearest to a time are found", () => {
  const rates = ratesOf(steadyHistory(20));

  expect(ratesAt(rates, 7.4)?.ageSeconds).toBe(7);
  expect(ratesAt(rates, 1000)?.ageSeconds).toBe(19);
  expect(ratesAt([], 0)).toBeUndefined();
});
