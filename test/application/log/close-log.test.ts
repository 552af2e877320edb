import { describe, expect, test } from "bun:test";
import { append, LogBench, numbers, storedNumbers } from "../../support/disk/opened-log.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

describe("a stop", () => {
  test.each(["disk", "process", "stop"] as const)(
    "at level %s leaves all that was acknowledged, whatever happens then",
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

  test("waits for what was queued, and takes nothing more", async () => {
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

  test("leaves no file of which nothing is needed", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    await Promise.all(numbers(1, 40).map((number) => append(log, number, 1)));
    log.clear();

    await log.close();

    expect(bench.disk.fileNames()).toHaveLength(1);
  });

  test("that cannot put everything on stable storage says so", async () => {
    const bench = new LogBench({ durability: "stop" });
    const log = await bench.open();
    await append(log, 1, 1);
    bench.disk.faults = { ...NO_FAULTS, failedSyncs: 1 };

    await expect(log.close()).rejects.toThrow("EIO: sync");
  });

  test("proves that the last group was whole: damage to it is told from a torn write", async () => {
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

describe("a sync from time to time, at level process", () => {
  test("saves what was written before it from a power cut", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    await Promise.all(numbers(1, 40).map((number) => append(log, number, 1)));

    await log.sync();
    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual(numbers(1, 40));
  });

  test("does not keep requests waiting", async () => {
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

  test("covers only what was written before it, and comes back for the rest", async () => {
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
});
