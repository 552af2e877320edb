import { describe, expect, test } from "bun:test";
import {
  append,
  kindsOf,
  LogBench,
  numbers,
  storedNumbers,
  turn,
} from "../../support/disk/opened-log.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

describe("departures", () => {
  test("are written with the next group, without a sync of their own", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);
    const lease = await log.lease({ spans: 2, bytes: 1_000 });
    const begun = bench.disk.begun.length;

    log.settle(lease!, "delivered");
    await turn();

    expect(kindsOf(bench, begun)).toEqual(["append segment"]);
  });

  test.each(["delivered", "taken", "undeliverable"] as const)(
    "of %s spans, and of no others, persist across a stop",
    async (settlement) => {
      const bench = new LogBench();
      const log = await bench.open();
      await append(log, 1, 5);
      const lease = await log.lease({ spans: 3, bytes: Infinity });

      log.settle(lease!, settlement, { first: 1, end: 3 });
      await log.close();
      const next = await bench.open();

      expect(await storedNumbers(next)).toEqual([1, 4, 5]);
      expect(next.stats().spans).toMatchObject({ received: 3, buffered: 3 });
    },
  );

  test("that a crash has undone bring the spans back, rather than losing them", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);
    bench.disk.isEager = false;
    const leasing = log.lease({ spans: 3, bytes: Infinity });
    await bench.finish();

    log.settle((await leasing)!, "delivered");
    bench.disk.cutPower();
    bench.disk.isEager = true;
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([1, 2, 3, 4, 5]);
  });

  test("of all spans of a segment remove its file, after their records are synced", async () => {
    const bench = new LogBench({ segmentBytes: 1_500 });
    const log = await bench.open();
    for (const number of numbers(1, 30)) await append(log, number, 1);
    const names = bench.disk.fileNames();
    const lease = await log.lease({ spans: 29, bytes: Infinity });
    bench.disk.isEager = false;
    const begun = bench.disk.begun.length;

    log.settle(lease!, "delivered");
    await turn();
    expect(kindsOf(bench, begun)).toEqual(["append segment"]);
    await bench.finish();

    const removals = Array<string>(names.length - 1).fill("remove segment");
    const expected = ["append segment", "sync segment", ...removals, "sync directory"];
    expect(kindsOf(bench, begun)).toEqual(expected);
    expect(bench.disk.fileNames()).toEqual(names.slice(-1));
  });

  test("of all but one span of a segment keep its file", async () => {
    const bench = new LogBench({ segmentBytes: 1_500 });
    const log = await bench.open();
    for (const number of numbers(1, 30)) await append(log, number, 1);
    const names = bench.disk.fileNames();
    const lease = await log.lease({ spans: 29, bytes: Infinity });

    log.settle(lease!, "delivered", { first: 1, end: 29 });
    log.settle(lease!, "returned", { first: 0, end: 1 });
    await append(log, 31, 1);
    await turn();

    expect(bench.disk.fileNames()).toEqual([names[0]!, names.at(-1)!]);
    expect(await storedNumbers(log)).toEqual([1, 30, 31]);
  });

  test("survive the removal of the segment with their records", async () => {
    const bench = new LogBench({ segmentBytes: 1_500 });
    const log = await bench.open();
    await append(log, 1, 4);
    const lease = await log.lease({ spans: 2, bytes: Infinity });
    for (const number of numbers(5, 20)) await append(log, number, 1);
    log.settle(lease!, "delivered");
    for (const number of numbers(25, 20)) await append(log, number, 1);
    const rest = await log.lease({ spans: 42, bytes: Infinity });
    log.settle(rest!, "delivered", { first: 2, end: 42 });
    log.settle(rest!, "returned", { first: 0, end: 2 });
    await append(log, 45, 1);
    await turn();

    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([3, 4, 45]);
  });

  test("that come while a new segment is begun after a failure are written", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);
    const lease = await log.lease({ spans: 2, bytes: Infinity });
    bench.disk.faults = { ...NO_FAULTS, failedWrites: 1 };
    await append(log, 6, 1);
    bench.disk.faults = NO_FAULTS;
    bench.clock.moveMs(1_000);
    bench.disk.isEager = false;
    const logging = append(log, 7, 1);
    await turn();
    bench.disk.completeOldest();
    await turn();

    log.settle(lease!, "delivered");
    await bench.finish();
    bench.disk.isEager = true;
    await log.close();
    const next = await bench.open();

    expect((await logging).outcome).toBe("logged");
    expect(await storedNumbers(next)).toEqual([3, 4, 5, 7]);
  });

  test("remove no file after a sync that began before their records were written", async () => {
    const bench = new LogBench({ durability: "process", segmentBytes: 1_500 });
    const log = await bench.open();
    for (const number of numbers(1, 12)) await append(log, number, 1);
    const [oldest] = bench.disk.fileNames();
    const lease = await log.lease({ spans: 12, bytes: Infinity });
    bench.disk.isEager = false;
    const logging = append(log, 13, 20);
    await turn();
    log.settle(lease!, "delivered");
    bench.disk.completeOldest();
    await turn();

    const syncing = log.sync();
    await turn();
    const [appended, ...others] = bench.disk.pending;
    await bench.finishAllBut(appended!);
    await syncing;

    expect(appended).toStartWith("append");
    expect(others.length).toBeGreaterThan(0);
    expect(bench.disk.fileNames()).toContain(oldest!);
    await bench.finish();
    expect((await logging).outcome).toBe("logged");
  });
});
