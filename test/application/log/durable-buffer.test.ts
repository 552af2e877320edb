import { describe, expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../../src/application/log/durable-buffer.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import { knownAtOnce } from "../../support/oracles/known-at-once.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench } from "../../support/disk/durable-bench.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";
import { LogBench, numbers, requestFor } from "../../support/disk/opened-log.ts";

function fail(): never {
  throw new Error("not stored");
}

/** Flips a bit of the request that begins with this span. */
function flip({ disk }: LogBench, number: number): void {
  const [name] = disk.fileNames();
  const content = new Uint8Array(disk.file(name!).length);
  disk.file(name!).read(0, content);
  const at = Buffer.from(content).indexOf(requestFor(number, 3).bytes);
  disk.file(name!).flipBit(at + 30, 0);
}

describe("a durable buffer", () => {
  test("shows a span only after it is on the disk", async () => {
    const disk = new LogBench();
    const bench = await DurableBench.open(disk);
    disk.disk.isEager = false;

    const sending = bench.send(1, 3);
    await disk.finishAllBut("sync");
    const before = bench.buffered();
    await disk.finish();

    expect(before).toEqual([]);
    expect(await sending).toBe("logged");
    expect(bench.buffered()).toEqual([1, 2, 3]);
  });

  test("has no log before it is attached, and stores nothing then", async () => {
    const capacity = { spans: 10, bytes: 10_000 };
    const ring = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });
    const buffer = new DurableBuffer({
      ring,
      maxRequestBytes: capacity.bytes,
      isWholeLog: true,
    });

    expect(await buffer.log(requestFor(1, 1))).toMatchObject({ outcome: "failed" });
    expect(buffer.stats().spans.received).toBe(0);
  });

  test("removes from the log what readers take", async () => {
    const bench = await DurableBench.open();
    await bench.send(1, 3);
    await bench.send(4, 3);

    const taken = knownAtOnce(bench.buffer.take(4));

    expect(numbersIn(taken.request)).toEqual([1, 2, 3, 4]);
    expect(await bench.stored()).toEqual([5, 6]);
  });

  test("removes from the log what is cleared, but no leased spans", async () => {
    const bench = await DurableBench.open();
    await bench.send(1, 6);
    const lease = await bench.lease(2);

    const cleared = bench.buffer.clear();
    const during = await bench.stored();
    bench.buffer.settle(lease, "delivered");

    expect(cleared).toBe(4);
    expect(during).toEqual([1, 2]);
    expect(await bench.stored()).toEqual([]);
  });

  test.each(["delivered", "undeliverable"] as const)(
    "removes from the log what is %s, and keeps the rest of a lease",
    async (settlement) => {
      const bench = await DurableBench.open();
      await bench.send(1, 6);
      const lease = await bench.lease(1_000);
      const newest = bench.buffer.leaseNewest();

      bench.buffer.settle(lease, settlement, { first: 1, end: 3 });
      bench.buffer.settle(lease, "returned", { first: 0, end: 1 });

      expect(newest).toBeUndefined();
      expect(await bench.stored()).toEqual([1, 4, 5, 6]);
    },
  );

  test("keeps what leaves the ring to make room, and counts it as buffered", async () => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    await bench.send(1, 3);
    await bench.send(4, 3);

    expect(bench.buffered()).toEqual([3, 4, 5, 6]);
    expect(await bench.stored()).toEqual(numbers(1, 6));
    expect(bench.buffer.stats()).toMatchObject({
      spans: { buffered: 6, evicted: 0 },
      spilled: { spans: 2, bytes: requestFor(1, 2).spanBytes },
    });
    expect(bench.buffer.hasSpilled()).toBe(true);
  });

  test("leases the oldest spans first: from the disk, then from the ring", async () => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    for (const first of [1, 4, 7]) await bench.send(first, 3);

    const leased: number[][] = [];
    for (const spans of [2, 9, 9]) leased.push(numbersIn((await bench.lease(spans)).request));

    expect(leased).toEqual([[1, 2], [3, 4, 5], numbers(6, 4)]);
    expect(await bench.buffer.lease({ spans: 9, bytes: 1_000 })).toBeUndefined();
  });

  test("settles spans on disk like those in the ring, also by service", async () => {
    const bench = await DurableBench.open(undefined, { spans: 2 });
    for (const first of [1, 4]) await bench.send(first, 3);
    const lease = await bench.lease(4);

    bench.buffer.settle(lease, "delivered", { first: 0, end: 1 });
    bench.buffer.settle(lease, "undeliverable", { first: 1, end: 2 });
    const evicted = bench.buffer.settle(lease, "returned", { first: 2, end: 4 });

    expect(evicted).toBe(0);
    const { spans, spilled } = bench.buffer.stats();
    expect(spans).toMatchObject({ buffered: 4, delivered: 1, undeliverable: 1, evicted: 0 });
    expect(spilled?.spans).toBe(2);
    expect(bench.buffer.services()[0]!.spans).toEqual(spans);
    expect(bench.log.stats().spans).toEqual(spans);
    expect(numbersIn((await bench.lease(9)).request)).toEqual([3, 4]);
  });

  test("takes spans on disk before those in the ring, in one answer", async () => {
    const bench = await DurableBench.open(undefined, { spans: 2 });
    for (const first of [1, 4, 7]) await bench.send(first, 3);

    const nothing = await bench.buffer.take(0);
    const some = await bench.buffer.take(2);
    const taken = await bench.buffer.take(6);
    const rest = await bench.buffer.take(5);

    expect(nothing.sequences).toEqual([]);
    expect(some).toMatchObject({ sequences: [1, 2], range: { first: 1, next: 3 } });
    expect(numbersIn(taken.request)).toEqual(numbers(3, 6));
    expect(taken).toMatchObject({ sequences: numbers(3, 6), range: { first: 3, next: 9 } });
    expect(rest).toMatchObject({ sequences: [9], range: { first: 9, next: 10 } });
    expect(await bench.stored()).toEqual([]);
  });

  test("takes nothing if the disk cannot be read", async () => {
    const disk = new LogBench();
    const bench = await DurableBench.open(disk, { spans: 2 });
    for (const first of [1, 4]) await bench.send(first, 3);
    disk.disk.faults = { ...NO_FAULTS, failedReads: 1 };

    const taking = Promise.resolve(bench.buffer.take(9));

    await expect(taking).rejects.toThrow("EIO");
    disk.disk.faults = NO_FAULTS;
    expect(numbersIn((await bench.buffer.take(9)).request)).toEqual(numbers(1, 6));
  });

  test("clears spans on disk too", async () => {
    const bench = await DurableBench.open(undefined, { spans: 2 });
    for (const first of [1, 4]) await bench.send(first, 3);
    const lease = await bench.lease(1);

    expect(bench.buffer.clear()).toBe(5);
    expect(bench.buffer.stats().spans).toMatchObject({ buffered: 1, taken: 5 });
    bench.buffer.settle(lease, "delivered");
    expect(await bench.stored()).toEqual([]);
  });

  test("knows when the oldest span arrived, even on disk", async () => {
    const bench = await DurableBench.open(undefined, { spans: 1 });
    await bench.send(1, 1);
    await bench.send(2, 1);

    expect(bench.buffer.oldestUnixMs()).toBe(42);
  });

  test("a lease from the ring that loses its slots can be returned to the disk", async () => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    await bench.send(1, 3);
    const lease = await bench.lease(2);
    await bench.send(4, 4);

    bench.buffer.settle(lease, "delivered", { first: 0, end: 1 });
    const evicted = bench.buffer.settle(lease, "returned", { first: 1, end: 2 });

    expect(evicted).toBe(0);
    expect(await bench.stored()).toEqual(numbers(2, 6));
    expect(bench.buffer.stats().spilled?.spans).toBe(2);
    expect(numbersIn((await bench.lease(9)).request)).toEqual([2, 3]);
  });

  test("evicts a segment that the log removes, its leased spans later", async () => {
    const disk = new LogBench({ maxDiskBytes: 40_000, segmentBytes: 8_000 });
    const bench = await DurableBench.open(disk, { spans: 20 });
    await bench.send(1, 10);
    const lease = await bench.lease(5);

    for (const first of numbers(1, 40)) {
      await bench.send(first * 10 + 1, 10);
      const { spans, bytes } = bench.buffer.stats();
      expect({ spans, bytes }).toEqual({
        spans: bench.log.stats().spans,
        bytes: bench.log.stats().bytes,
      });
    }
    const before = bench.buffer.stats().spans.evicted;
    const evicted = bench.buffer.settle(lease, "returned");

    expect(before).toBeGreaterThan(0);
    expect(evicted).toBe(5);
    expect(bench.buffer.stats().spans.evicted).toBe(before + 5);
    expect(bench.buffer.stats().spans).toEqual(bench.log.stats().spans);
    const stored = await bench.stored();
    expect(numbersIn((await bench.buffer.take(1_000)).request)).toEqual(stored);
  });

  test("evicts spans on disk that are damaged, and keeps those in memory", async () => {
    const disk = new LogBench();
    const bench = await DurableBench.open(disk, { spans: 4 });
    for (const first of [1, 4, 7]) await bench.send(first, 3);
    flip(disk, 4);
    flip(disk, 7);

    const first = await bench.lease(9);
    const second = await bench.lease(9);

    expect(numbersIn(first.request)).toEqual([1, 2, 3]);
    expect(numbersIn(second.request)).toEqual(numbers(6, 4));
    const { spans, bytes } = bench.buffer.stats();
    expect(spans).toMatchObject({ buffered: 7, evicted: 2 });
    expect(bytes.evicted).toBe(requestFor(4, 2).spanBytes);
    expect(bench.buffer.services()[0]!.bytes).toEqual(bytes);
    bench.buffer.settle(second, "delivered");
    expect(bench.log.stats().spans.delivered).toBe(4);
  });

  test("refuses a request larger than the whole ring before it is written", async () => {
    const bench = await DurableBench.open(undefined, { bytes: 40 });

    expect(await bench.send(1, 3)).toBe("too_large");
    expect(await bench.stored()).toEqual([]);
  });

  test("keeps the oldest spans of a request larger than the ring on disk", async () => {
    const bench = await DurableBench.open(undefined, { spans: 2 });

    await bench.send(1, 5);

    expect(bench.buffered()).toEqual([4, 5]);
    expect(bench.buffer.stats()).toMatchObject({
      spans: { accepted: 5, buffered: 5 },
      spilled: { spans: 3 },
    });
    expect(numbersIn((await bench.buffer.take(9)).request)).toEqual(numbers(1, 5));
  });

  test("gives spans the sequences of the log, even after a failed callback", async () => {
    const bench = await DurableBench.open();
    await bench.buffer.log({ ...requestFor(1, 2), stored: fail }).catch(() => {});

    await bench.send(3, 2);

    expect(bench.buffer.peek(9).sequences).toEqual([3, 4]);
    expect(await bench.stored()).toEqual([3, 4]);
  });

  test("is read like the ring", async () => {
    const bench = await DurableBench.open(undefined, { spans: 10 });
    await bench.send(1, 6);
    const { buffer } = bench;
    const visited: number[] = [];
    const matcher = compileFilter([]);
    const search = { range: buffer.range(), newestFirst: true, matcher };
    buffer.visit(search, (sequence) => visited.push(sequence) < 2);

    expect(visited).toEqual([6, 5]);
    expect(numbersIn(buffer.copy([2, 4]).request)).toEqual([2, 4]);
    expect([
      buffer.hasRoom({ spans: 4, bytes: 9 }),
      buffer.hasRoom({ spans: 5, bytes: 9 }),
    ]).toEqual([true, false]);
    expect(buffer.usedShare()).toBe(bench.log.usedShare());
    expect(buffer.hasSpilled()).toBe(false);
    expect(buffer.usedBytes()).toBeGreaterThan(0);
    expect(buffer.services().map(({ spans }) => spans.buffered)).toEqual([6]);
  });
});
