import { describe, expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../../src/application/log/durable-buffer.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench } from "../../support/disk/durable-bench.ts";
import { LogBench, numbers, requestFor, turn } from "../../support/disk/opened-log.ts";

const ANY = { spans: 1_000, bytes: Number.POSITIVE_INFINITY };

function fail(): never {
  throw new Error("not stored");
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
    const buffer = new DurableBuffer({ ring, capacity, overflowPolicy: "drop_oldest" });

    expect(await buffer.log(requestFor(1, 1))).toMatchObject({ outcome: "failed" });
    expect(buffer.stats().spans.received).toBe(0);
  });

  test("removes from the log what readers take", async () => {
    const bench = await DurableBench.open();
    await bench.send(1, 3);
    await bench.send(4, 3);

    const taken = bench.buffer.take(4);

    expect(numbersIn(taken.request)).toEqual([1, 2, 3, 4]);
    expect(await bench.stored()).toEqual([5, 6]);
  });

  test("removes from the log what is cleared, but no leased spans", async () => {
    const bench = await DurableBench.open();
    await bench.send(1, 6);
    const lease = bench.buffer.lease({ spans: 2, bytes: 1_000_000 })!;

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
      const lease = bench.buffer.lease(ANY)!;
      const newest = bench.buffer.leaseNewest();

      bench.buffer.settle(lease, settlement, { first: 1, end: 3 });
      bench.buffer.settle(lease, "returned", { first: 0, end: 1 });

      expect(newest).toBeUndefined();
      expect(await bench.stored()).toEqual([1, 4, 5, 6]);
    },
  );

  test("removes from the log what the ring evicts", async () => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    await bench.send(1, 3);
    await bench.send(4, 3);

    expect(bench.buffered()).toEqual([3, 4, 5, 6]);
    expect(await bench.stored()).toEqual([3, 4, 5, 6]);
    expect(bench.log.stats().spans.evicted).toBe(2);
  });

  test("keeps a leased span in the log when it loses its slot, until it is settled", async () => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    await bench.send(1, 3);
    const lease = bench.buffer.lease({ spans: 2, bytes: 1_000_000 })!;
    await bench.send(4, 4);
    const during = await bench.stored();

    bench.buffer.settle(lease, "delivered", { first: 0, end: 1 });
    const evicted = bench.buffer.settle(lease, "returned", { first: 1, end: 2 });

    expect(during).toEqual([1, 2, 4, 5, 6, 7]);
    expect(evicted).toBe(1);
    expect(await bench.stored()).toEqual([4, 5, 6, 7]);
  });

  test("evicts what the log has evicted to stay within its size", async () => {
    const disk = new LogBench({ maxDiskBytes: 40_000, segmentBytes: 8_000 });
    const bench = await DurableBench.open(disk, { spans: 900 });

    for (const first of numbers(0, 30)) {
      await bench.send(first * 10 + 1, 10);
      await turn();
    }

    expect(bench.buffer.stats().spans.evicted).toBeGreaterThan(0);
    expect(bench.buffered()).toEqual(await bench.stored());
  });

  test("refuses a request larger than the whole ring before it is written", async () => {
    const bench = await DurableBench.open(undefined, { bytes: 40 });

    expect(await bench.send(1, 3)).toBe("too_large");
    expect(await bench.stored()).toEqual([]);
  });

  test("counts requests on their way to the disk, so that none is refused after it", async () => {
    const disk = new LogBench();
    const bench = await DurableBench.open(disk, { spans: 10, overflowPolicy: "refuse" });
    disk.disk.isEager = false;

    const sending = Promise.all([bench.send(1, 6), bench.send(7, 6), bench.send(13, 4)]);
    await disk.finish();
    const outcomes = await sending;
    const full = await bench.send(17, 1);
    const large = await bench.send(18, 11);

    expect(outcomes).toEqual(["logged", "refused", "logged"]);
    expect([full, large]).toEqual(["refused", "too_large"]);
    expect(bench.buffered()).toEqual([...numbers(1, 6), ...numbers(13, 4)]);
  });

  test("gives spans the sequences of the log, even after a failed callback", async () => {
    const bench = await DurableBench.open();
    await bench.buffer.log({ ...requestFor(1, 2), stored: fail }).catch(() => {});

    await bench.send(3, 2);

    expect(bench.buffer.peek(9).sequences).toEqual([3, 4]);
  });

  test("is read like the ring", async () => {
    const bench = await DurableBench.open(undefined, { spans: 10, overflowPolicy: "refuse" });
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
    expect(buffer.usedShare()).toBe(0.6);
    expect(buffer.usedBytes()).toBeGreaterThan(0);
    expect(buffer.services().map(({ spans }) => spans.buffered)).toEqual([6]);
  });
});
