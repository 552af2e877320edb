import { describe, expect, test } from "bun:test";
import {
  append,
  kindsOf,
  LogBench,
  numbers,
  requestFor,
  storedNumbers,
  turn,
} from "../../support/disk/opened-log.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

const FIRST = "spans-000000000001";
const BROKEN = "cannot write to the disk buffer; retry later";

describe("group commit", () => {
  test("requests that arrive during a sync are written as one group and synced once", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    bench.disk.isEager = false;
    const begun = bench.disk.begun.length;

    const first = append(log, 1, 1);
    await turn();
    const others = numbers(2, 50).map((number) => append(log, number, 1));
    await bench.finish();

    expect(kindsOf(bench, begun)).toEqual([
      "append segment",
      "sync segment",
      "append segment",
      "sync segment",
    ]);
    const logged = await Promise.all([first, ...others]);
    expect(logged.map((each) => "firstSequence" in each && each.firstSequence)).toEqual(
      numbers(1, 51),
    );
  });

  test("a request waits for the running sync and its own, and not for a third", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    bench.disk.isEager = false;
    void append(log, 1, 1);
    await turn();
    const events: string[] = [];

    void append(log, 2, 1).then(() => events.push("logged"));
    for (let step = 0; step < 8; step += 1) {
      void append(log, 10 + step, 1);
      events.push(bench.disk.pending[0]!.slice(0, 4));
      bench.disk.completeOldest();
      await turn();
    }

    expect(events.slice(0, 5)).toEqual(["appe", "sync", "appe", "sync", "logged"]);
  });

  test("all requests of one turn of the event loop share a group", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    const begun = bench.disk.begun.length;

    await Promise.all(numbers(1, 20).map((number) => append(log, number, 1)));

    expect(kindsOf(bench, begun)).toEqual(["append segment", "sync segment"]);
  });

  test("a group ends where the segment is full, and the next one begins another", async () => {
    const bench = new LogBench({ segmentBytes: 2_000 });
    const log = await bench.open();

    await Promise.all(numbers(1, 60).map((number) => append(log, number, 1)));

    const lengths = bench.disk.fileNames().map((name) => bench.disk.file(name).length);
    expect(lengths.length).toBeGreaterThan(3);
    expect(Math.max(...lengths.slice(0, -1))).toBeLessThanOrEqual(2_000);
    expect(await storedNumbers(log)).toEqual(numbers(1, 60));
  });

  test("requests are refused while too many wait for a slow disk", async () => {
    const bench = new LogBench({ maxQueuedBytes: 1_000 });
    const log = await bench.open();
    bench.disk.isEager = false;

    const waiting = numbers(1, 40).map((number) => append(log, number, 1));
    await bench.finish();

    const outcomes = (await Promise.all(waiting)).map(({ outcome }) => outcome);
    expect(outcomes[0]).toBe("logged");
    expect(outcomes.at(-1)).toBe("refused");
    expect(log.stats().queuedBytes).toBe(0);
    bench.disk.isEager = true;
    expect((await append(log, 41, 1)).outcome).toBe("logged");
  });
});

async function failingSync() {
  const bench = new LogBench();
  const log = await bench.open();
  await append(log, 1, 2);
  bench.disk.isEager = false;
  const stored: number[] = [];
  const request = {
    ...requestFor(3, 2),
    stored: (sequence: number) => void stored.push(sequence),
  };
  const failing = log.append(request);
  await turn();
  const waiting = append(log, 5, 2);
  bench.disk.faults = { ...NO_FAULTS, failedSyncs: 1 };
  await bench.finish();
  bench.disk.faults = NO_FAULTS;
  bench.disk.isEager = true;
  return { bench, log, failing, waiting, stored };
}

describe("a failed sync", () => {
  test("acknowledges no request of its group or queued after it", async () => {
    const { log, failing, waiting, stored } = await failingSync();

    for (const logged of [await failing, await waiting]) {
      expect(logged).toEqual({ outcome: "failed", message: BROKEN, retryAfterMs: 250 });
    }
    expect(stored).toEqual([]);
    expect(log.stats().spans.accepted).toBe(2);
    expect(await storedNumbers(log)).toEqual([1, 2]);
  });

  test("refuses requests until the next attempt, and is reported until one succeeds", async () => {
    const { bench, log } = await failingSync();
    const stateOf = () => {
      const { isRefusing, failure } = log.stats();
      return { isRefusing, isFailing: failure !== undefined };
    };

    bench.clock.moveMs(249);
    const paused = stateOf();
    bench.clock.moveMs(1);
    const due = stateOf();
    await append(log, 7, 1);

    expect(paused).toEqual({ isRefusing: true, isFailing: true });
    expect(due).toEqual({ isRefusing: false, isFailing: true });
    expect(stateOf()).toEqual({ isRefusing: false, isFailing: false });
  });

  test("is not repeated, and later requests go to a new segment", async () => {
    const { bench, log } = await failingSync();
    const begun = bench.disk.begun.length;

    bench.clock.moveMs(250);
    const logged = await append(log, 7, 1);

    expect(logged).toEqual({ outcome: "logged", firstSequence: 3 });
    const touched = bench.disk.begun.slice(begun).filter((each) => each.includes(FIRST));
    expect(touched).toEqual([]);
    expect(bench.disk.fileNames()).toHaveLength(2);
    expect(await storedNumbers(log)).toEqual([1, 2, 7]);
  });

  test("is followed by attempts at growing intervals until one succeeds", async () => {
    const { bench, log } = await failingSync();
    const waits: number[] = [];
    bench.disk.faults = { ...NO_FAULTS, failedNames: 1 };

    for (let attempt = 0; attempt < 10; attempt += 1) {
      const logged = await append(log, 10 + attempt, 1);
      expect(logged.outcome).toBe("failed");
      const waitMs = "retryAfterMs" in logged ? logged.retryAfterMs : 0;
      waits.push(waitMs);
      bench.clock.moveMs(waitMs);
    }
    bench.disk.faults = NO_FAULTS;
    const logged = await append(log, 30, 1);

    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(logged.outcome).toBe("logged");
    expect(bench.events.diskRecovered).toHaveLength(1);
    expect(log.stats().failure).toBeUndefined();
  });

  test("leaves no span that a recovery considers acknowledged", async () => {
    const { bench, log } = await failingSync();
    bench.clock.moveMs(250);
    await append(log, 7, 1);

    bench.disk.kill();
    const next = await bench.open();

    expect(next.recovery).toMatchObject({ damage: [], lostSpans: 0, missingSegments: [] });
    expect(await storedNumbers(next)).toEqual([1, 2, 7]);
  });

  test("at level process fails a concurrent write as well", async () => {
    const bench = new LogBench({ durability: "process" });
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.isEager = false;
    const syncing = log.sync();
    const written = append(log, 2, 1);
    await turn();
    bench.disk.faults = { ...NO_FAULTS, failedSyncs: 1 };
    await bench.finish();
    await syncing;

    expect((await written).outcome).toBe("failed");
    expect(bench.events.diskFailed).not.toEqual([]);
  });

  test("at level process, of a full segment, is reported and does not stop writes", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    for (const number of numbers(1, 30)) await append(log, number, 1);
    bench.disk.isEager = false;
    const syncing = log.sync();
    await turn();
    bench.disk.faults = { ...NO_FAULTS, failedSyncs: 1 };
    bench.disk.completeOldest();
    bench.disk.faults = NO_FAULTS;
    await bench.finish();
    await syncing;
    bench.disk.isEager = true;

    expect(bench.events.syncFailed.map(([{ segment }]) => segment.slice(0, FIRST.length))).toEqual([
      FIRST,
    ]);
    expect(bench.events.diskFailed).toEqual([]);
    expect((await append(log, 31, 1)).outcome).toBe("logged");
  });
});

describe("a failed write", () => {
  test("fails its group, and its bytes in the file are ignored", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.faults = {
      ...NO_FAULTS,
      capacityBytes: bench.disk.file(bench.disk.fileNames()[0]!).length + 30,
    };

    const failed = await append(log, 2, 1);
    bench.disk.faults = NO_FAULTS;
    bench.clock.moveMs(1_000);
    const logged = await append(log, 3, 1);

    expect(failed).toMatchObject({ outcome: "failed", message: BROKEN });
    expect(bench.events.diskFailed).toEqual([[{ reason: "ENOSPC: write", retryAfterMs: 250 }]]);
    expect(logged).toEqual({ outcome: "logged", firstSequence: 2 });
    bench.disk.cutPower();
    const next = await bench.open();
    expect(await storedNumbers(next)).toEqual([1, 3]);
    expect(next.recovery.lostSpans).toBe(0);
  });

  test("at level process does not prevent a sync of earlier writes", async () => {
    const bench = new LogBench({ durability: "process" });
    const log = await bench.open();
    await append(log, 1, 2);
    bench.disk.faults = { ...NO_FAULTS, failedWrites: 1 };
    await append(log, 3, 1);
    bench.disk.faults = NO_FAULTS;

    await log.sync();
    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([1, 2]);
  });
});
