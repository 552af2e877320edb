import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BenchCase, BenchRun } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import { type Figure, type Goal, percentile } from "../figure.ts";
import { requireH2load } from "../load/h2load.ts";
import { requestFile } from "../load/request-file.ts";
import { costs, rates, takeTurns, type Turn } from "../load/turns.ts";
import type * as DurableLoop from "../loops/durable-loop.ts";
import type * as OutageLoop from "../loops/outage-loop.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { exportOnce, startBinary, startSpanring } from "../servers/subject.ts";
import { workFolder } from "../work-folder.ts";

const SHAPE = serverRequestShape(512);
const SMALL = serverRequestShape(10);

/** The rate of spans during an outage and after it, as a share of what can be received at most. */
const INGEST_SHARE = 1 / 4;

/** Measures what safety on a real disk costs, next to memory and to the disk alone. */
export const durable: BenchCase = {
  name: "durable",
  shows: "what a log on disk costs: throughput, latency, recovery, and a drain after an outage",
  run: async (run) => {
    requireH2load();
    const folder = workFolder();
    const ingested = await ingestFigures(folder, run);
    const synced = await syncFigures(folder, run);
    return [...ingested, ...synced, ...(await outageFigures(folder, run))];
  },
};

const INGEST_GOALS: Readonly<Record<"disk" | "process", Goal>> = {
  disk: { of: "ratio", is: ">=", bound: 0.7 },
  process: { of: "ratio", is: ">=", bound: 0.85 },
};

/** Compares programs that differ in nothing but the log, over gRPC. */
async function ingestFigures(folder: string, run: BenchRun): Promise<Figure[]> {
  const at = (DURABILITY: string) =>
    startSpanring({ DATA_DIR: mkdtempSync(join(folder, "data-")), DURABILITY });
  await using memory = await startSpanring();
  await using disk = await at("disk");
  await using process = await at("process");
  const subjects = [memory, disk, process];
  for (const { port } of subjects) await exportOnce(port, SHAPE.bytes);
  const load = { bodyFile: requestFile(SHAPE.bytes), spanCount: SHAPE.spanCount };
  const contenders = subjects.map((subject) => ({ ...load, subject, port: subject.port }));
  const turns = await takeTurns(contenders, `durable: ${SHAPE.name} a request`, run);
  const [inMemory, onDisk, written] = turns as [Turn[], Turn[], Turn[]];
  return [...levelFigures("disk", onDisk, inMemory), ...levelFigures("process", written, inMemory)];
}

/** Processor time is shown too, because it hardly depends on what else the machine does. */
function levelFigures(
  level: keyof typeof INGEST_GOALS,
  turns: readonly Turn[],
  inMemory: readonly Turn[],
): Figure[] {
  const name = `gRPC, ${SHAPE.name}, level ${level}`;
  const rate: Figure = {
    name,
    unit: "spans/s",
    better: "higher",
    samples: rates(turns),
    reference: { name: "memory only", samples: rates(inMemory) },
    goal: INGEST_GOALS[level],
  };
  const time: Figure = {
    name: `${name}, processor time`,
    unit: "ns/span",
    better: "lower",
    samples: costs(turns),
    reference: { name: "memory only", samples: costs(inMemory) },
  };
  return time.samples.length > 0 ? [rate, time] : [rate];
}

/** Compares the time until a request is acknowledged with that of a bare `fdatasync`. */
async function syncFigures(folder: string, run: BenchRun): Promise<Figure[]> {
  const loop = await importBundled<typeof DurableLoop>("loops/durable-loop.ts");
  const syncs = run.isShort ? 100 : 2_000;
  const [answered, bare]: [number[], number[]] = [[], []];
  for (let round = 1; round <= run.rounds; round += 1) {
    run.progress(`durable: acknowledgements, round ${round} of ${run.rounds}`);
    answered.push(p99(await loop.acknowledgementMs(folder, SMALL, syncs)));
    bare.push(p99(await loop.bareSyncMs(folder, SMALL, syncs)));
  }
  const time = { unit: "ms", better: "lower" } as const;
  return [
    {
      ...time,
      name: "acknowledgement p99 at 1,000 requests/s, level disk",
      samples: answered,
      reference: { name: "fdatasync p99", samples: bare },
    },
    {
      ...time,
      name: "of which more than twice that of fdatasync",
      samples: answered.map((ms, at) => ms - 2 * bare[at]!),
      goal: { of: "median", is: "<=", bound: 5 },
    },
  ];
}

/** Fills a log, starts the program on it, and drains it while spans arrive. */
async function outageFigures(folder: string, run: BenchRun): Promise<Figure[]> {
  const loop = await importBundled<typeof OutageLoop>("loops/outage-loop.ts");
  const logBytes = run.isShort ? 2 ** 25 : 2 ** 30;
  const measured = [];
  for (let round = 1; round <= run.rounds; round += 1) {
    run.progress(`durable: outage, round ${round} of ${run.rounds}`);
    const path = mkdtempSync(join(folder, "outage-"));
    const filledPerSecond = await loop.fillLog(path, SHAPE, logBytes);
    const recoveryMs = await listeningMs({
      DATA_DIR: path,
      MAX_DISK_BYTES: String(loop.MAX_DISK_BYTES),
    });
    const emptyMs = await listeningMs({ DATA_DIR: mkdtempSync(join(folder, "empty-")) });
    const drain = await loop.drainLog(path, SHAPE, filledPerSecond * INGEST_SHARE);
    rmSync(path, { recursive: true });
    measured.push({ filledPerSecond, recoveryMs, emptyMs, ...drain });
  }
  return outageRows(measured, logBytes / 2 ** 20);
}

interface Outage extends OutageLoop.Drain {
  readonly filledPerSecond: number;
  readonly recoveryMs: number;
  readonly emptyMs: number;
}

function outageRows(measured: readonly Outage[], mib: number): Figure[] {
  const each = (value: (one: Outage) => number): number[] => measured.map(value);
  const rate = { unit: "spans/s", better: "higher" } as const;
  return [
    {
      name: `start with a log of ${mib} MiB, until listening`,
      unit: "ms",
      better: "lower",
      samples: each(({ recoveryMs }) => recoveryMs),
      reference: { name: "an empty log", samples: each(({ emptyMs }) => emptyMs) },
      goal: { of: "median", is: "<=", bound: 1_500 },
    },
    {
      ...rate,
      name: "fill at full speed, level process, without gRPC",
      samples: each(({ filledPerSecond }) => filledPerSecond),
    },
    {
      ...rate,
      name: `drain of ${mib} MiB, while a quarter of that arrives`,
      samples: each(({ drainedPerSecond }) => drainedPerSecond),
      reference: {
        name: "arriving spans",
        samples: each(({ ingestedPerSecond }) => ingestedPerSecond),
      },
      goal: { of: "ratio", is: ">=", bound: 2 },
    },
  ];
}

/** Returns the time from the start of the program until it listens. */
async function listeningMs(env: Record<string, string>): Promise<number> {
  const beganMs = performance.now();
  await using _ = await startBinary(env);
  return performance.now() - beganMs;
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return percentile(sorted, 0.99);
}
