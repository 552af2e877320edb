import { describe, expect, test } from "bun:test";
import { segmentBytesFor } from "../../../src/application/log/retention.ts";
import type { SpanLog } from "../../../src/application/log/span-log.ts";
import { append, LogBench, numbers, storedNumbers, turn } from "../../support/disk/opened-log.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

const SMALL = { maxDiskBytes: 20_000, segmentBytes: 2_000 };

function bytesOnDisk({ disk }: LogBench): number {
  return disk.fileNames().reduce((sum, name) => sum + disk.file(name).length, 0);
}

/** Appends requests one by one; returns their outcomes and the maximum of bytes on the disk. */
async function fill(bench: LogBench, log: SpanLog, count: number) {
  const outcomes: string[] = [];
  let maxBytes = 0;
  for (const number of numbers(1, count)) {
    outcomes.push((await append(log, number, 1)).outcome);
    maxBytes = Math.max(maxBytes, bytesOnDisk(bench));
  }
  return { outcomes, maxBytes };
}

describe("a full disk, with drop_oldest", () => {
  test("evicts its oldest segment to make room, and stays within its limit", async () => {
    const bench = new LogBench(SMALL);
    const log = await bench.open();

    const { outcomes, maxBytes } = await fill(bench, log, 400);

    expect(new Set(outcomes)).toEqual(new Set(["logged"]));
    expect(maxBytes).toBeLessThanOrEqual(SMALL.maxDiskBytes);
    expect(maxBytes).toBeGreaterThan(SMALL.maxDiskBytes / 2);
    const stored = await storedNumbers(log);
    expect(stored).toEqual(numbers(stored[0]!, 401 - stored[0]!));
    const evicted = bench.events.evicted.reduce((sum, [{ spans }]) => sum + spans, 0);
    expect(log.stats().spans).toMatchObject({ accepted: 400, evicted, buffered: stored.length });
    expect(evicted).toBe(stored[0]! - 1);
  });

  test("does not bring evicted spans back after a power cut", async () => {
    const bench = new LogBench(SMALL);
    const log = await bench.open();
    await fill(bench, log, 300);
    const stored = await storedNumbers(log);

    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual(stored);
    expect(next.recovery).toMatchObject({ missingSegments: [], lostSpans: 0 });
    expect(next.stats().spans).toMatchObject({ received: stored.length, evicted: 0 });
  });

  test("counts leased spans as buffered until they are settled", async () => {
    const bench = new LogBench(SMALL);
    const log = await bench.open();
    await append(log, 1000, 6);
    const lease = await log.lease({ spans: 6, bytes: Infinity });
    await fill(bench, log, 300);

    const evicted = [
      log.settle(lease!, "delivered", { first: 0, end: 2 }),
      log.settle(lease!, "returned", { first: 2, end: 6 }),
    ];

    expect(evicted).toEqual([0, 4]);
    const { spans } = log.stats();
    const reported = bench.events.evicted.reduce((sum, [event]) => sum + event.spans, 0);
    expect(spans).toMatchObject({ accepted: 306, delivered: 2, evicted: reported + 4 });
    expect(spans.buffered).toBe((await storedNumbers(log)).length);
  });

  test("evicts at most one segment while files cannot be removed", async () => {
    const bench = new LogBench(SMALL);
    const log = await bench.open();
    await fill(bench, log, 100);
    const before = bench.events.evicted.length;
    bench.disk.faults = { ...NO_FAULTS, failedNames: 1 };

    const { outcomes } = await fill(bench, log, 300);

    expect(outcomes.at(-1)).toBe("failed");
    expect(bench.events.evicted.length - before).toBeLessThanOrEqual(1);
  });

  test("shrinks to a limit that was lowered since", async () => {
    const bench = new LogBench(SMALL);
    const log = await bench.open();
    await fill(bench, log, 300);
    await log.close();
    const smaller = new LogBench({ ...SMALL, maxDiskBytes: 8_000 }, bench.disk);

    const next = await smaller.open();
    await append(next, 301, 1);

    expect(bytesOnDisk(bench)).toBeLessThanOrEqual(8_000);
    expect((await storedNumbers(next)).at(-1)).toBe(301);
  });
});

describe("a full disk, with refuse", () => {
  const REFUSING = { ...SMALL, overflowPolicy: "refuse" as const };

  test("refuses requests, loses no span, and stays within its limit", async () => {
    const bench = new LogBench(REFUSING);
    const log = await bench.open();

    const { outcomes, maxBytes } = await fill(bench, log, 400);

    const logged = numbers(1, 400).filter((number) => outcomes[number - 1] === "logged");
    expect(outcomes.at(-1)).toBe("refused");
    expect(maxBytes).toBeLessThanOrEqual(REFUSING.maxDiskBytes);
    expect(await storedNumbers(log)).toEqual(logged);
    expect(log.stats().spans).toMatchObject({ accepted: logged.length, evicted: 0 });
  });

  test("accepts requests again after spans have left", async () => {
    const bench = new LogBench(REFUSING);
    const log = await bench.open();
    await fill(bench, log, 400);

    const lease = await log.lease({ spans: 60, bytes: Infinity });
    log.settle(lease!, "delivered");
    await turn();
    const logged = await append(log, 1000, 1);

    expect(logged.outcome).toBe("logged");
  });

  test("has room for records of departures, and can be opened again", async () => {
    const bench = new LogBench(REFUSING);
    const log = await bench.open();
    await fill(bench, log, 400);
    const before = await storedNumbers(log);
    const lease = await log.lease({ spans: 3, bytes: Infinity });
    log.settle(lease!, "delivered");
    await log.close();

    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual(before.slice(3));
    expect(next.stats()).toMatchObject({ isWritable: true, failure: undefined });
  });
});

test("a lowered limit refuses requests until enough spans have left", async () => {
  const bench = new LogBench({ ...SMALL, overflowPolicy: "refuse" });
  const log = await bench.open();
  await fill(bench, log, 60);
  await log.close();
  const settings = { ...SMALL, overflowPolicy: "refuse" as const, maxDiskBytes: 5_000 };
  const smaller = new LogBench(settings, bench.disk);

  const next = await smaller.open();
  const refused = await append(next, 1000, 1);
  const { isWritable } = next.stats();
  next.clear();
  await turn();
  await append(next, 1001, 1);
  await turn();
  const logged = await append(next, 1002, 1);

  expect([refused.outcome, isWritable, logged.outcome]).toEqual(["refused", false, "logged"]);
  expect(bytesOnDisk(bench)).toBeLessThanOrEqual(5_000);
});

test("a disk smaller than one segment holds the newest spans", async () => {
  const bench = new LogBench({ maxDiskBytes: 5_000, segmentBytes: 100_000 });
  const log = await bench.open();

  const { outcomes, maxBytes } = await fill(bench, log, 100);

  expect(new Set(outcomes)).toEqual(new Set(["logged"]));
  expect(maxBytes).toBeLessThanOrEqual(5_000);
  expect((await storedNumbers(log)).at(-1)).toBe(100);
});

test("a request larger than the disk is too large and evicts nothing", async () => {
  const bench = new LogBench(SMALL);
  const log = await bench.open();
  await append(log, 1, 1);

  const logged = await append(log, 100, 200);

  expect(logged).toEqual({ outcome: "too_large" });
  expect(await storedNumbers(log)).toEqual([1]);
});

test("a request larger than a segment has a segment of its own", async () => {
  const bench = new LogBench({ segmentBytes: 1_000 });
  const log = await bench.open();

  const outcomes = [await append(log, 1, 60), await append(log, 61, 1)];

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["logged", "logged"]);
  expect(await storedNumbers(log)).toEqual(numbers(1, 61));
});

test.each([
  { maxDiskBytes: 2 ** 20, segmentBytes: 2 ** 16 },
  { maxDiskBytes: 2 ** 30, segmentBytes: 2 ** 26 },
  { maxDiskBytes: 2 ** 40, segmentBytes: 2 ** 26 },
])("segments have $segmentBytes bytes if the disk has $maxDiskBytes", (sizes) => {
  expect(segmentBytesFor(sizes.maxDiskBytes)).toBe(sizes.segmentBytes);
});
