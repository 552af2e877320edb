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

const noRing = (): void => {
  throw new Error("no ring");
};

describe("order", () => {
  test("a request is stored and answered after its sync, not before", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    const events: string[] = [];
    bench.disk.isEager = false;

    const stored = (sequence: number) => void events.push(`stored ${sequence}`);
    void log.append({ ...requestFor(1, 3), stored }).then((logged) => events.push(logged.outcome));
    await turn();
    expect(bench.disk.pending[0]).toStartWith(`append ${FIRST}`);
    bench.disk.complete();
    await turn();
    expect(bench.disk.pending[0]).toStartWith(`sync ${FIRST}`);
    expect([...events]).toEqual([]);
    expect(log.stats().spans.accepted).toBe(0);
    bench.disk.complete();
    await turn();

    expect(events).toEqual(["stored 1", "logged"]);
    expect(log.stats().spans.accepted).toBe(3);
  });

  test.each(["process", "stop"] as const)(
    "at level %s a request is stored after its write, without a sync",
    async (durability) => {
      const bench = new LogBench({ durability });
      const log = await bench.open();
      const begun = bench.disk.begun.length;

      const logged = await append(log, 1, 3);

      expect(logged).toEqual({ outcome: "logged", firstSequence: 1 });
      expect(kindsOf(bench, begun)).toEqual(["append segment"]);
    },
  );

  test("spans are stored in the order of their sequences", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    const sequences: number[] = [];
    const stored = (sequence: number) => void sequences.push(sequence);

    const requests = [1, 4, 5, 9].map((first) => ({ ...requestFor(first, 2), stored }));
    await Promise.all(requests.map((request) => log.append(request)));

    expect(sequences).toEqual([1, 3, 5, 7]);
  });

  test("an error of the callback does not remove the request from the log", async () => {
    const bench = new LogBench();
    const log = await bench.open();

    const failed = log.append({ ...requestFor(1, 1), stored: noRing });
    const next = append(log, 2, 1);

    await expect(failed).rejects.toThrow("no ring");
    expect((await next).outcome).toBe("logged");
    expect(await storedNumbers(log)).toEqual([1, 2]);
    expect(bench.events.diskFailed).toEqual([]);
  });
});

describe("sequences", () => {
  test("continue after a stop, even if the log is empty", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);
    log.clear();
    await log.close();

    const next = await bench.open();
    await next.close();
    const afterNext = await bench.open();

    expect(await append(afterNext, 6, 1)).toEqual({ outcome: "logged", firstSequence: 6 });
    expect(bench.disk.fileNames()).toHaveLength(1);
  });

  test("continue after a power cut, and spans keep theirs", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);
    await append(log, 6, 2);
    bench.disk.cutPower();

    const next = await bench.open();
    const lease = await next.lease({ spans: 100, bytes: Infinity });

    expect(lease!.sequences).toEqual(numbers(1, 7));
    expect(next.stats().sequence).toEqual({ first: 1, next: 8 });
  });

  test("that are skipped are not reported as lost", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 2);

    log.skipTo(50);
    const logged = await append(log, 3, 2);
    bench.disk.cutPower();
    const next = await bench.open();

    expect(logged).toEqual({ outcome: "logged", firstSequence: 50 });
    expect(next.recovery).toMatchObject({ lostSpans: 0, damage: [], missingSegments: [] });
    const lease = await next.lease({ spans: 100, bytes: Infinity });
    expect(lease!.sequences).toEqual([1, 2, 50, 51]);
  });
});

describe("a stop", () => {
  test.each(["disk", "process", "stop"] as const)(
    "at level %s syncs all acknowledged spans",
    async (durability) => {
      const bench = new LogBench({ durability, segmentBytes: 1_500 });
      const log = await bench.open();
      await Promise.all(numbers(1, 40).map((number) => append(log, number, 1)));

      await log.close();
      bench.disk.cutPower();
      const next = await bench.open();

      expect(await storedNumbers(next)).toEqual(numbers(1, 40));
    },
  );

  test("waits for queued requests and accepts no more", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    const queued = numbers(1, 5).map((number) => append(log, number, 1));

    const closing = log.close();
    const late = await append(log, 6, 1);
    await closing;

    const outcomes = (await Promise.all(queued)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["logged", "logged", "logged", "logged", "logged"]);
    expect(late.outcome).toBe("failed");
  });

  test("removes files without buffered spans", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    await Promise.all(numbers(1, 40).map((number) => append(log, number, 1)));
    log.clear();

    await log.close();

    expect(bench.disk.fileNames()).toHaveLength(1);
  });

  test("fails if it cannot sync everything", async () => {
    const bench = new LogBench({ durability: "stop" });
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.faults = { ...NO_FAULTS, failedSyncs: 1 };

    await expect(log.close()).rejects.toThrow("EIO: sync");
  });

  test("marks the last group as complete, so that later damage is not a torn write", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 1);
    await append(log, 2, 1);
    await log.close();
    const [name] = bench.disk.fileNames();
    bench.disk.file(name!).flipBit(120, 0);

    const next = await bench.open();

    expect(next.recovery).toMatchObject({ lostSpans: 1, torn: [] });
    expect(await storedNumbers(next)).toEqual([2]);
  });
});

describe("a periodic sync at level process", () => {
  test("saves earlier writes from a power cut", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    await Promise.all(numbers(1, 40).map((number) => append(log, number, 1)));

    await log.sync();
    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual(numbers(1, 40));
  });

  test("does not delay requests", async () => {
    const bench = new LogBench({ durability: "process" });
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.isEager = false;

    const syncing = log.sync();
    bench.disk.isEager = true;
    const logged = await append(log, 2, 1);
    bench.disk.completeOldest();
    await syncing;

    expect(logged.outcome).toBe("logged");
  });

  test("covers only earlier writes, and a second one covers the rest", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 700 });
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.isEager = false;
    const syncing = log.sync();
    bench.disk.isEager = true;
    for (const number of numbers(2, 10)) await append(log, number, 1);
    bench.disk.completeOldest();
    await syncing;

    await log.sync();
    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual(numbers(1, 11));
  });

  test("does not fail for a segment that is evicted meanwhile", async () => {
    const sizes = { maxDiskBytes: 12_000, segmentBytes: 1_500 };
    const bench = new LogBench({ durability: "process", ...sizes });
    const log = await bench.open();
    for (const number of numbers(1, 30)) await append(log, number, 1);
    bench.disk.isEager = false;
    const syncing = log.sync();
    await turn();
    bench.disk.isEager = true;

    for (const number of numbers(31, 80)) await append(log, number, 1);
    await bench.finish();
    await syncing;

    expect(log.stats().spans.evicted).toBeGreaterThan(30);
    expect(bench.events.syncFailed).toEqual([]);
    expect(bench.events.diskFailed).toEqual([]);
  });
});
