import { describe, expect, test } from "bun:test";
import type { LogSettings } from "../../../src/application/log/log-state.ts";
import type { SpanAmount } from "../../../src/domain/ledger.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench, type RingSetting } from "../../support/disk/durable-bench.ts";
import { LogBench, numbers, requestFor, turn } from "../../support/disk/opened-log.ts";
import { NO_FAULTS, type SimulatedDisk } from "../../support/disk/simulated-disk.ts";

const MEMORY = { diskFailure: "memory" } as const;
const FAILED_SYNCS = { ...NO_FAULTS, failedSyncs: 1 };
const ALL_FAIL = { ...FAILED_SYNCS, failedWrites: 1, failedNames: 1 };

/** Opens a buffer that continues in memory, with spans 1 to 3 on the disk. */
async function continuing(
  settings: Partial<LogSettings> = {},
  ring: RingSetting = {},
): Promise<{ disk: LogBench; bench: DurableBench }> {
  const disk = new LogBench({ ...MEMORY, ...settings });
  const bench = await DurableBench.open(disk, ring);
  await bench.send(1, 3);
  return { disk, bench };
}

/** Returns the amount of the buffered spans that are not in the log. */
function memoryOnly({ buffer, log }: DurableBench): SpanAmount {
  const [all, logged] = [buffer.stats(), log.stats()];
  const spans = all.spans.buffered - logged.spans.buffered;
  return { spans, bytes: all.bytes.buffered - logged.bytes.buffered };
}

function spanBytes(first: number, spanCount: number): number {
  return requestFor(first, spanCount).spanBytes;
}

/** Returns the numbers of the spans that a start finds on this disk. */
async function foundOn(disk: SimulatedDisk): Promise<number[]> {
  const next = await DurableBench.open(new LogBench({}, disk));
  return await next.stored();
}

describe("with DISK_FAILURE=memory, a failed disk", () => {
  test("refuses neither its group nor the requests queued after it", async () => {
    const { disk, bench } = await continuing();
    disk.disk.isEager = false;
    disk.disk.faults = FAILED_SYNCS;

    const failing = bench.send(4, 2);
    await turn();
    const waiting = bench.send(6, 1);
    await disk.finish();
    disk.disk.isEager = true;
    const { queuedBytes, isRefusing, isMemoryOnly, failure } = bench.log.stats();

    expect(await Promise.all([failing, waiting])).toEqual(["memory_only", "memory_only"]);
    expect(bench.buffered()).toEqual(numbers(1, 6));
    expect(bench.buffer.peek(9).sequences).toEqual(numbers(1, 6));
    expect(await bench.stored()).toEqual([1, 2, 3]);
    expect({ queuedBytes, isRefusing, isMemoryOnly }).toEqual({
      queuedBytes: 0,
      isRefusing: false,
      isMemoryOnly: true,
    });
    expect(failure).toBeString();
    expect(memoryOnly(bench)).toEqual({ spans: 3, bytes: spanBytes(4, 3) });
  });

  test("is not touched until the pause is over, which doubles after each attempt", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = ALL_FAIL;
    await bench.send(4, 1);
    const begun = disk.disk.begun.length;

    disk.clock.moveMs(249);
    await bench.send(5, 1);
    const paused = disk.disk.begun.length;
    disk.clock.moveMs(1);
    const outcome = await bench.send(6, 1);
    const { length: tried } = disk.disk.begun;
    disk.clock.moveMs(499);
    await bench.send(7, 1);

    expect(paused).toBe(begun);
    expect(outcome).toBe("memory_only");
    expect(tried).toBeGreaterThan(paused);
    expect(disk.disk.begun.length).toBe(tried);
    expect(bench.buffered()).toEqual(numbers(1, 7));
    const pauses = disk.events.diskFailed.map(([{ retryAfterMs }]) => retryAfterMs);
    expect(pauses).toEqual([250, 500]);
  });

  test("gets the next request after the pause, in a new segment, with its sequence", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 2);
    disk.disk.faults = NO_FAULTS;
    await bench.send(6, 1);

    disk.clock.moveMs(250);
    const outcome = await bench.send(7, 2);

    expect(outcome).toBe("logged");
    expect(bench.buffer.peek(9).sequences).toEqual(numbers(1, 8));
    expect(await bench.stored()).toEqual([1, 2, 3, 7, 8]);
    expect(bench.log.stats()).toMatchObject({ failure: undefined, isMemoryOnly: false });
    expect(disk.events.diskRecovered).toEqual([[{ memoryOnlySpans: 3 }]]);
    expect(memoryOnly(bench)).toEqual({ spans: 3, bytes: spanBytes(4, 3) });
    disk.disk.cutPower();
    expect(await foundOn(disk.disk)).toEqual([1, 2, 3, 7, 8]);
  });

  test("costs the spans in memory only when the process ends, and no others", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = ALL_FAIL;
    await bench.send(4, 2);

    disk.disk.kill();
    disk.disk.faults = NO_FAULTS;

    expect(await foundOn(disk.disk)).toEqual([1, 2, 3]);
  });

  test("does not prevent a start", async () => {
    const disk = new LogBench(MEMORY);
    disk.disk.faults = ALL_FAIL;

    const bench = await DurableBench.open(disk);
    const outcome = await bench.send(1, 2);

    expect(outcome).toBe("memory_only");
    expect(bench.buffered()).toEqual([1, 2]);
  });

  test("does not keep a request whose callback throws", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = FAILED_SYNCS;
    const failing = bench.buffer.log({
      ...requestFor(4, 2),
      stored: () => {
        throw new Error("not stored");
      },
    });

    expect(failing).rejects.toThrow("not stored");
    await failing.catch(() => {});
    await bench.send(6, 1);
    expect(bench.buffered()).toEqual([1, 2, 3, 6]);
    expect(memoryOnly(bench)).toEqual({ spans: 1, bytes: spanBytes(6, 1) });
  });

  test("refuses requests after the log is closed", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 1);
    await bench.log.close();

    expect(await bench.send(5, 1)).toBe("failed");
  });
});

describe("spans in memory only", () => {
  test("are evicted when they leave memory, and logged ones are spilled", async () => {
    const { disk, bench } = await continuing({}, { spans: 5 });
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 2);
    disk.disk.faults = NO_FAULTS;
    disk.clock.moveMs(250);

    await bench.send(6, 4);

    expect(bench.buffered()).toEqual([5, 6, 7, 8, 9]);
    const { spans, bytes, spilled } = bench.buffer.stats();
    expect(spans).toMatchObject({ accepted: 9, buffered: 8, evicted: 1 });
    expect(bytes.evicted).toBe(spanBytes(4, 1));
    expect(spilled).toEqual({ spans: 3, bytes: spanBytes(1, 3) });
    expect(memoryOnly(bench)).toEqual({ spans: 1, bytes: spanBytes(5, 1) });
  });

  test("count as the fill level while the disk fails, as a full memory loses them", async () => {
    const { disk, bench } = await continuing({}, { spans: 10 });
    disk.disk.faults = ALL_FAIL;
    await bench.send(4, 6);
    const failing = bench.buffer.usedShare();
    disk.disk.faults = NO_FAULTS;
    disk.clock.moveMs(250);
    await bench.send(10, 1);

    expect(failing).toBe(0.6);
    expect(bench.buffer.usedShare()).toBe(bench.log.usedShare());
  });

  test("are leased after those on the disk, and settled without it", async () => {
    const { disk, bench } = await continuing();
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 2);
    disk.disk.faults = NO_FAULTS;
    disk.clock.moveMs(250);
    await bench.send(6, 2);

    const lease = await bench.lease(100);
    bench.buffer.settle(lease, "delivered", { first: 2, end: 4 });
    bench.buffer.settle(lease, "undeliverable", { first: 4, end: 6 });
    bench.buffer.settle(lease, "returned", { first: 6, end: 7 });
    bench.buffer.settle(lease, "returned", { first: 0, end: 2 });

    expect(numbersIn(lease.request)).toEqual(numbers(1, 7));
    expect(await bench.stored()).toEqual([1, 2, 7]);
    expect(bench.buffered()).toEqual([1, 2, 7]);
    expect(bench.buffer.stats().spans).toMatchObject({ delivered: 2, undeliverable: 2 });
    expect(bench.log.stats().spans).toMatchObject({ delivered: 1, undeliverable: 1 });
    expect(memoryOnly(bench)).toEqual({ spans: 0, bytes: 0 });
  });

  test("are evicted by a return if they left memory while they were leased", async () => {
    const { disk, bench } = await continuing({}, { spans: 5 });
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 2);
    const lease = await bench.lease(5);
    await bench.send(6, 5);

    const evicted = bench.buffer.settle(lease, "returned");

    expect(evicted).toBe(2);
    expect(bench.buffer.stats().spans).toMatchObject({ accepted: 10, buffered: 8, evicted: 2 });
    expect(bench.buffer.stats().spilled?.spans).toBe(3);
  });

  test("are distinguished from leased spans of an evicted segment", async () => {
    const sizes = { maxDiskBytes: 40_000, segmentBytes: 8_000 };
    const { disk, bench } = await continuing(sizes, { spans: 12 });
    disk.disk.faults = FAILED_SYNCS;
    await bench.send(4, 2);
    disk.disk.faults = NO_FAULTS;
    const lease = await bench.lease(5);
    disk.clock.moveMs(250);
    for (const at of numbers(0, 50)) await bench.send(6 + at * 4, 4);
    const before = bench.buffer.stats().spans.evicted;

    bench.buffer.settle(lease, "delivered", { first: 2, end: 4 });
    const evicted = bench.buffer.settle(lease, "returned", { first: 4, end: 5 });
    bench.buffer.settle(lease, "returned", { first: 0, end: 2 });

    expect(before).toBeGreaterThan(0);
    expect(evicted).toBe(1);
    const { spans } = bench.buffer.stats();
    expect(spans).toMatchObject({ delivered: 2, evicted: before + 3 });
    expect(bench.log.stats().spans).toMatchObject({ delivered: 1, buffered: spans.buffered });
    expect(bench.log.stats().spans.evicted).toBe(before + 2);
  });

  test("get no sequence of a group that is being written", async () => {
    const { disk, bench } = await continuing({ durability: "process" });
    disk.disk.isEager = false;
    disk.disk.faults = FAILED_SYNCS;
    const syncing = bench.log.sync();
    const writing = bench.send(4, 2);
    await turn();
    await disk.finishAllBut("append");
    const meanwhile = bench.send(6, 1);
    await turn();
    const during = bench.buffered();
    await disk.finish();
    await syncing;

    expect(during).toEqual([1, 2, 3]);
    expect(await Promise.all([writing, meanwhile])).toEqual(["memory_only", "memory_only"]);
    expect(bench.buffered()).toEqual(numbers(1, 6));
    expect(bench.buffer.peek(9).sequences).toEqual(numbers(1, 6));
  });
});
