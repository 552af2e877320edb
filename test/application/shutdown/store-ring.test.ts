import { describe, expect, test } from "bun:test";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";
import { kindsOf, LogBench, numbers } from "../../support/disk/opened-log.ts";
import { StopBench } from "../../support/disk/stop-bench.ts";
import { balances } from "../../support/oracles/watched-ledger.ts";

describe("a stop", () => {
  test("stores every span with its sequence, and the next start has them all", async () => {
    const first = await StopBench.open();
    first.receive(1, 3);
    first.receive(4, 2);

    const before = await first.bench.stored();
    const lost = await first.store();
    const next = await first.next();

    expect([before, lost]).toEqual([[], 0]);
    expect(next.bench.buffered()).toEqual([1, 2, 3, 4, 5]);
    expect(next.sequences()).toEqual([1, 2, 3, 4, 5]);
    expect(next.bench.buffer.stats().spans).toMatchObject({ received: 5, buffered: 5 });
    expect(next.bench.log.recovery).toMatchObject({ lostSpans: 0, damage: [], torn: [] });
  });

  test("leaves out the spans that have left, and the next start misses none", async () => {
    const first = await StopBench.open();
    first.receive(1, 6);
    first.receive(7, 4);
    first.bench.buffer.take(2);
    const lease = await first.bench.lease(5);
    first.bench.buffer.settle(lease, "delivered", { first: 1, end: 3 });

    const lost = await first.store();
    const next = await first.next();

    expect(lost).toBe(0);
    // Spans of a lease that was not settled are stored too.
    expect(next.sequences()).toEqual([3, 6, 7, 8, 9, 10]);
    expect(next.bench.buffered()).toEqual([3, 6, 7, 8, 9, 10]);
    expect(next.bench.log.recovery).toMatchObject({ lostSpans: 0, missingSegments: [] });
  });

  test("writes batches of several requests, however small these are", async () => {
    const first = await StopBench.open();
    for (let span = 1; span <= 50; span += 1) first.receive(span, 1);
    const from = first.disk.disk.begun.length;

    await first.store();

    expect(kindsOf(first.disk, from)).toEqual(["append segment"]);
  });

  test("needs memory for one batch at a time", async () => {
    const first = await StopBench.open();
    for (let span = 1; span <= 50; span += 1) first.receive(span, 1);

    const lost = await first.store(1);
    const next = await first.next();

    expect(lost).toBe(0);
    expect(next.bench.buffered()).toEqual(numbers(1, 50));
  });

  test("continues the sequences although everything was delivered", async () => {
    const first = await StopBench.open();
    first.receive(1, 9);
    first.bench.buffer.clear();

    await first.store();
    const second = await first.next();
    second.receive(10, 1);
    await second.store();
    const third = await second.next();

    expect(third.sequences()).toEqual([10]);
  });

  test("writes spans of an earlier stop only once", async () => {
    const first = await StopBench.open();
    first.receive(1, 4);
    await first.store();
    const second = await first.next();
    second.receive(5, 2);
    second.bench.buffer.take(1);

    await second.store();
    const third = await second.next();

    expect(third.bench.buffered()).toEqual([2, 3, 4, 5, 6]);
    expect(third.sequences()).toEqual([2, 3, 4, 5, 6]);
  });

  test("keeps restored spans until they have left, although the program is killed", async () => {
    const first = await StopBench.open();
    first.receive(1, 4);
    await first.store();
    const second = await first.next();
    second.bench.buffer.take(3);
    second.receive(5, 2);
    await second.disk.finish();
    second.disk.disk.kill();
    const third = await StopBench.open(second.disk);

    expect(third.bench.buffered()).toEqual([4]);
  });

  test("loses no span of an earlier stop that does not fit into memory", async () => {
    const first = await StopBench.open();
    first.receive(1, 6);
    first.receive(7, 6);
    await first.store();
    await first.bench.log.close();
    const small = { spans: 8, overflowPolicy: "refuse" } as const;
    const second = await StopBench.open(first.disk, small);
    const { spans, spilled } = second.bench.buffer.stats();
    const taken = await second.bench.buffer.take(7);

    const lost = await second.store();
    const third = await second.next();

    expect(spans).toMatchObject({ received: 12, buffered: 12 });
    expect(spilled).toMatchObject({ spans: 4 });
    expect(taken.sequences).toEqual(numbers(1, 7));
    expect(lost).toBe(0);
    expect(third.sequences()).toEqual(numbers(8, 5));
  });

  test("evicts new spans for good if memory is full, as it does without a log", async () => {
    const disk = new LogBench({ durability: "stop" });
    const first = await StopBench.open(disk, { spans: 8 });
    first.receive(1, 6);
    first.receive(7, 6);
    const before = first.bench.buffer.stats();

    const lost = await first.store();
    const next = await first.next();

    expect(before.spans).toMatchObject({ received: 12, buffered: 8, evicted: 4 });
    expect(lost).toBe(0);
    expect(next.sequences()).toEqual(numbers(5, 8));
  });

  test("loses what a full disk cannot take, and says how much", async () => {
    const first = await StopBench.open();
    first.receive(1, 4);
    first.disk.disk.faults = { ...NO_FAULTS, capacityBytes: 0 };

    const lost = await first.store();

    expect(lost).toBe(4);
    expect(first.disk.events.diskFailed).toHaveLength(2);
    expect(first.bench.buffer.stats().spans).toMatchObject({ received: 4, buffered: 4 });
  });

  test("tries a disk that has failed before without a pause", async () => {
    const first = await StopBench.open();
    first.receive(1, 4);
    first.disk.disk.faults = { ...NO_FAULTS, failedWrites: 1, failedNames: 1 };
    await first.store();
    first.disk.disk.faults = NO_FAULTS;

    const lost = await first.store();
    const next = await first.next();

    expect(lost).toBe(0);
    expect(next.bench.buffered()).toEqual([1, 2, 3, 4]);
  });

  test.each([
    { overflowPolicy: "drop_oldest", kept: "newest" },
    { overflowPolicy: "refuse", kept: "oldest" },
  ] as const)(
    "keeps the $kept spans if MAX_DISK_BYTES is too small and the policy is $overflowPolicy",
    async ({ overflowPolicy, kept }) => {
      const sizes = { maxDiskBytes: 60_000, segmentBytes: 8_000 };
      const disk = new LogBench({ durability: "stop", overflowPolicy, ...sizes });
      const first = await StopBench.open(disk, { spans: 1_000, bytes: 1 << 20, overflowPolicy });
      for (let span = 1; span <= 1_000; span += 10) first.receive(span, 10);

      const lost = await first.store(4_000);
      const ledger = first.bench.buffer.stats();
      const found = await first.bench.stored();

      expect(lost).toBeGreaterThan(0);
      expect(found).toHaveLength(1_000 - lost);
      expect(found.at(kept === "newest" ? -1 : 0)).toBe(kept === "newest" ? 1_000 : 1);
      expect(found).toEqual(numbers(found[0]!, found.length));
      expect([balances(ledger.spans), balances(ledger.bytes)]).toEqual([true, true]);
      expect(first.bench.log.stats().disk.usedBytes).toBeLessThanOrEqual(60_000);
    },
  );

  test("stores the others if a request is larger than the whole log", async () => {
    const sizes = { maxDiskBytes: 20_000, segmentBytes: 8_000 };
    const disk = new LogBench({ durability: "stop", ...sizes });
    const first = await StopBench.open(disk, { spans: 1_000, bytes: 1 << 20 });
    first.receive(1, 5);
    first.receive(6, 300);
    first.receive(306, 5);

    const lost = await first.store();
    const next = await first.bench.stored();

    expect(lost).toBe(300);
    expect(next).toEqual([1, 2, 3, 4, 5, 306, 307, 308, 309, 310]);
  });
});
