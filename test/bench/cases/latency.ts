import type { BenchCase } from "../bench-case.ts";
import { bundle, importBundled } from "../bundled-module.ts";
import { type Figure, type Goal, percentile } from "../figure.ts";
import type * as LatencyLoop from "../loops/latency-loop.ts";
import { serverRequestShape } from "../request-corpus.ts";

const LOOP = "loops/latency-loop.ts";
const GOAL: Goal = { of: "median", is: "<", bound: 1000 };

const SHARES = [
  { name: "p50", share: 0.5 },
  { name: "p95", share: 0.95 },
  { name: "p99", share: 0.99 },
  { name: "p99.9", share: 0.999, goal: GOAL },
  { name: "max", share: 1 },
];

/** Measures how long the ring delays a caller in the worst case. */
export const latency: BenchCase = {
  name: "latency",
  shows: "the latency of appending and taking one span on a full ring",
  run: async ({ rounds, isShort, progress }) => {
    const { timeOperations } = await importBundled<typeof LatencyLoop>(LOOP);
    const oneSpan = serverRequestShape(1).bytes;
    const plan = { operations: isShort ? 20_000 : 100_000, rounds, oneSpan };
    progress("latency: alone on the ring");
    const alone = await timeOperations(plan);
    progress("latency: while a Worker appends 512 spans and takes 64, over and over");
    const code = await bundle("loops/latency-rival.ts");
    const rival = { code, request: serverRequestShape(512).bytes };
    const together = await timeOperations({ ...plan, rival });
    return [...figures("alone", alone), ...figures("with a busy Worker", together)];
  },
};

function figures(circumstance: string, { append, take }: LatencyLoop.Latencies): Figure[] {
  return [...percentiles("append", append), ...percentiles("take", take)].map((figure) => ({
    ...figure,
    name: `${figure.name} ${circumstance}`,
  }));
}

function percentiles(operation: string, rounds: readonly Float64Array[]): Figure[] {
  return SHARES.map(({ name, share, goal }) => ({
    name: `${operation} ${name}`,
    unit: "us",
    better: "lower",
    samples: rounds.map((sorted) => percentile(sorted, share)),
    ...(goal === undefined ? {} : { goal }),
  }));
}
