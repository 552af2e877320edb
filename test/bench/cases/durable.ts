import type { BenchCase, BenchRun } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import { type Figure, percentile } from "../figure.ts";
import type * as DurableLoop from "../loops/durable-loop.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { workFolder } from "../work-folder.ts";

const SHAPE = serverRequestShape(512);
const SMALL = serverRequestShape(10);
const SENDERS = 32;

/** Measures the log on a real disk, without gRPC, next to the disk alone. */
export const durable: BenchCase = {
  name: "durable",
  shows: "the throughput and latency of the log, and the duration of a recovery and a drain",
  run: async (run) => {
    const loop = await importBundled<typeof DurableLoop>("loops/durable-loop.ts");
    const folder = workFolder();
    const measured = [];
    for (let round = 0; round < run.rounds; round += 1) {
      run.progress(`durable: round ${round + 1}`);
      measured.push(await measure(loop, folder, run));
    }
    return figures(measured);
  },
};

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure(loop: typeof DurableLoop, folder: string, { isShort }: BenchRun) {
  const turn = { senders: SENDERS, roundMs: isShort ? 200 : 2_000 };
  const syncs = isShort ? 100 : 2_000;
  const logBytes = isShort ? 2 ** 25 : 2 ** 30;
  return {
    disk: await loop.spansPerSecond(folder, SHAPE, { ...turn, durability: "disk" }),
    process: await loop.spansPerSecond(folder, SHAPE, { ...turn, durability: "process" }),
    bareMs: await loop.bareSyncMs(folder, SHAPE, syncs / 10),
    answerP99Ms: p99(await loop.acknowledgementMs(folder, SMALL, syncs)),
    bareP99Ms: p99(await loop.bareSyncMs(folder, SMALL, syncs)),
    ...(await loop.refill(folder, SHAPE, logBytes)),
    logMib: logBytes / 2 ** 20,
  };
}

function figures(measured: readonly Measured[]): Figure[] {
  const each = (value: (one: Measured) => number): number[] => measured.map(value);
  const bare = each(({ bareMs }) => SHAPE.spanCount / (meanOf(bareMs) / 1000));
  const { logMib } = measured[0]!;
  const rate = { unit: "spans/s", better: "higher" } as const;
  const time = { unit: "ms", better: "lower" } as const;
  return [
    {
      ...rate,
      name: `${SHAPE.name}, ${SENDERS} senders, level disk`,
      samples: each(({ disk }) => disk),
      reference: { name: "one write and fdatasync a request", samples: bare },
    },
    {
      ...rate,
      name: `${SHAPE.name}, ${SENDERS} senders, level process`,
      samples: each(({ process }) => process),
      reference: { name: "level disk", samples: each(({ disk }) => disk) },
    },
    {
      ...time,
      name: "acknowledgement p99 at 1,000 requests/s, level disk",
      samples: each(({ answerP99Ms }) => answerP99Ms),
      reference: { name: "fdatasync p99", samples: each(({ bareP99Ms }) => bareP99Ms) },
    },
    {
      ...time,
      name: `recovery of ${logMib} MiB`,
      samples: each(({ recoveryMs }) => recoveryMs),
      goal: { of: "median", is: "<=", bound: 1_500 },
    },
    {
      unit: "MiB/s",
      better: "higher",
      name: `drain of ${logMib} MiB`,
      samples: each(({ drainMs }) => logMib / (drainMs / 1000)),
      reference: { name: "fill", samples: each(({ fillMs }) => logMib / (fillMs / 1000)) },
    },
  ];
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return percentile(sorted, 0.99);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
