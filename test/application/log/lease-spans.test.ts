import { describe, expect, test } from "bun:test";
import type { Disk } from "../../../src/ports/disk.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import {
  append,
  LogBench,
  numbers,
  requestFor,
  storedNumbers,
  turn,
} from "../../support/disk/opened-log.ts";
import { DurableBench } from "../../support/disk/durable-bench.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

describe("leases", () => {
  test("take the oldest spans, and leave whole requests unchanged", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 3);
    await append(log, 4, 2);

    const lease = await log.lease({ spans: 5, bytes: Infinity });

    const both = Buffer.concat([requestFor(1, 3).bytes, requestFor(4, 2).bytes]);
    expect(Buffer.from(lease!.request).equals(both)).toBe(true);
  });

  test("cut a request at the limit, where the next lease continues", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 10);

    const leases = [
      await log.lease({ spans: 4, bytes: Infinity }),
      await log.lease({ spans: 100, bytes: 1 }),
      await log.lease({ spans: 100, bytes: Infinity }),
    ];

    const leased = leases.map((lease) => numbersIn(lease!.request));
    expect(leased).toEqual([numbers(1, 4), [5], numbers(6, 5)]);
    expect(await log.lease({ spans: 1, bytes: 1 })).toBeUndefined();
  });

  test("with a limit of no span are undefined", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 2);

    expect(await log.lease({ spans: 0, bytes: 0 })).toBeUndefined();
    expect(await storedNumbers(log)).toEqual([1, 2]);
  });

  test("share no span, however many are requested at a time", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    for (const number of numbers(0, 20)) await append(log, 1 + number * 3, 3);

    const leases = await Promise.all(
      numbers(1, 8).map((spans) => log.lease({ spans, bytes: Infinity })),
    );

    expect(leases.flatMap((lease) => lease!.sequences)).toEqual(numbers(1, 36));
  });

  test("that are returned are leased again before spans that were read meanwhile", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 4);
    await append(log, 5, 4);
    const first = await log.lease({ spans: 2, bytes: Infinity });
    bench.disk.isEager = false;
    const second = log.lease({ spans: 4, bytes: Infinity });
    await turn();

    log.settle(first!, "returned");
    await bench.finish();

    expect((await second)!.sequences).toEqual([1, 2, 3, 4]);
  });

  test("continue in the middle of a large segment", async () => {
    const bench = new LogBench({ segmentBytes: 300_000, maxQueuedBytes: 10_000_000 });
    const log = await bench.open();
    const requests = numbers(0, 500).map((number) => append(log, 1 + number * 2, 2));
    await Promise.all(requests);
    const lease = await log.lease({ spans: 900, bytes: Infinity });
    log.settle(lease!, "delivered");

    const rest = await log.lease({ spans: 100, bytes: Infinity });

    expect(numbersIn(rest!.request)).toEqual(numbers(901, 100));
  });
});

test("leases read pieces of about their own size, and keep no memory at the end", async () => {
  const bench = new LogBench({ maxDiskBytes: 10_000_000, segmentBytes: 4_000_000 });
  const buffers: Uint8Array[] = [];
  let largestReadBytes = 0;
  const { disk } = bench.parts;
  const read: Disk["read"] = (name, at, into) => {
    buffers.push(into);
    largestReadBytes = Math.max(largestReadBytes, into.length);
    return disk.read(name, at, into);
  };
  Object.assign(bench.parts, { disk: Object.create(disk, { read: { value: read } }) });
  const log = await bench.open();
  for (const index of numbers(0, 200)) await append(log, 1 + index * 20, 20);

  let leasedBytes = 0;
  for (let count = 0; count < 8; count += 1) {
    const lease = await log.lease({ spans: 500, bytes: Infinity });
    leasedBytes += lease!.request.length;
  }

  const held = new Set(buffers.filter(({ length }) => length > 0).map(({ buffer }) => buffer));
  log.clear();
  expect(await log.lease({ spans: 500, bytes: Infinity })).toBeUndefined();

  expect(largestReadBytes).toBeLessThan((1.5 * leasedBytes) / 8);
  expect(held.size).toBe(1);
  expect(buffers.every(({ length }) => length === 0)).toBe(true);
});

test("a lease stops reading at its limit in bytes, although few spans are free", async () => {
  const bench = new LogBench();
  const log = await bench.open();
  for (const index of numbers(0, 20)) await append(log, 1 + index * 10, 10);
  const all = await log.lease({ spans: 200, bytes: Infinity });
  for (const first of numbers(0, 20)) {
    log.settle(all!, "delivered", { first: first * 10, end: first * 10 + 9 });
    log.settle(all!, "returned", { first: first * 10 + 9, end: first * 10 + 10 });
  }

  const lease = await log.lease({ spans: 200, bytes: all!.request.length / 4 });

  expect(lease!.sequences[0]).toBe(10);
  expect(lease!.sequences.length).toBeGreaterThan(1);
  expect(lease!.sequences.length).toBeLessThan(10);
});

test("taken spans are removed and returned", async () => {
  const bench = new LogBench();
  const log = await bench.open();
  await append(log, 1, 5);

  const taken = await log.take({ spans: 3, bytes: Infinity });

  expect(numbersIn(taken!.request)).toEqual([1, 2, 3]);
  expect(await storedNumbers(log)).toEqual([4, 5]);
  expect(log.stats().spans).toMatchObject({ accepted: 5, taken: 3, buffered: 2 });
});

test("a request larger than one read is leased whole", async () => {
  const bench = new LogBench({ maxDiskBytes: 10_000_000, maxQueuedBytes: 10_000_000 });
  const log = await bench.open();
  await append(log, 1, 1);
  await append(log, 2, 1_000);
  await append(log, 1_002, 1);

  const leases = [
    await log.lease({ spans: 2, bytes: 100 }),
    await log.lease({ spans: 5_000, bytes: Infinity }),
  ];

  expect(requestFor(2, 1_000).bytes.length).toBeGreaterThan(2 * 64 * 1024);
  const leased = leases.map((lease) => numbersIn(lease!.request));
  expect(leased).toEqual([[1], numbers(2, 1_001)]);
});

test("a span that is damaged while leased is lost when it is returned", async () => {
  const bench = new LogBench();
  const log = await bench.open();
  await append(log, 1, 1);
  await append(log, 2, 1);
  const first = await log.lease({ spans: 1, bytes: Infinity });
  const [name] = bench.disk.fileNames();
  const file = bench.disk.file(name!);
  const content = new Uint8Array(file.length);
  file.read(0, content);
  file.flipBit(Buffer.from(content).indexOf(requestFor(1, 1).bytes), 0);
  const second = await log.lease({ spans: 1, bytes: Infinity });
  const damagedWhileLeased = bench.events.damaged.map(([{ lostSpans }]) => lostSpans);

  log.settle(first!, "returned");
  const third = await log.lease({ spans: 1, bytes: Infinity });

  expect([second!.sequences, third]).toEqual([[2], undefined]);
  expect(damagedWhileLeased).toEqual([0]);
  expect(bench.events.damaged.map(([{ lostSpans }]) => lostSpans)).toEqual([0, 1]);
  expect(log.stats().spans).toMatchObject({ accepted: 2, evicted: 1, buffered: 1 });
});

async function unreadable() {
  const bench = new LogBench({ segmentBytes: 1_500 });
  const log = await bench.open();
  for (const number of numbers(1, 30)) await append(log, number, 1);
  bench.disk.faults = { ...NO_FAULTS, failedReads: 1 };
  return { bench, log };
}

describe("a disk that fails to read", () => {
  test("loses no span within a minute", async () => {
    const { bench, log } = await unreadable();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await expect(log.lease({ spans: 1, bytes: 1 })).rejects.toThrow("EIO");
      bench.clock.moveMs(2_900);
    }
    bench.disk.faults = NO_FAULTS;

    expect(await storedNumbers(log)).toEqual(numbers(1, 30));
    expect(bench.events.damaged).toEqual([]);
  });

  test("loses no span if it cannot read anything, even after a minute", async () => {
    const { bench, log } = await unreadable();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await expect(log.lease({ spans: 1, bytes: 1 })).rejects.toThrow("EIO");
      bench.clock.moveMs(61_000);
    }
    bench.disk.faults = NO_FAULTS;

    expect(await storedNumbers(log)).toEqual(numbers(1, 30));
  });

  test("loses only the spans that it cannot read for a minute", async () => {
    const bench = new LogBench({ segmentBytes: 600_000, maxDiskBytes: 5_000_000 });
    const log = await bench.open();
    const requests = numbers(0, 900).map((index) => append(log, 1 + index * 2, 2));
    await Promise.all(requests);
    const read = bench.disk.read.bind(bench.disk);
    bench.disk.read = async (name, offsetBytes, into) => {
      const isBad = offsetBytes < 262_144 && name.includes("0001-");
      if (isBad) throw new Error("EIO: bad sector");
      return await read(name, offsetBytes, into);
    };
    await expect(storedNumbers(log)).rejects.toThrow("EIO");
    bench.clock.moveMs(60_000);

    const stored = await storedNumbers(log);

    expect(stored.at(-1)).toBe(1_800);
    expect(stored).toEqual(numbers(stored[0]!, stored.length));
    const lostSpans = 1_800 - stored.length;
    expect(bench.events.damaged.map(([damage]) => damage.lostSpans)).toEqual([lostSpans]);
    expect(log.stats().spans).toMatchObject({ evicted: lostSpans, buffered: stored.length });
    expect(lostSpans).toBeGreaterThan(100);
  });
});

// Between the end of a search on the disk and the lease from the ring, spans left the ring.
test.each(numbers(0, 12))(
  "the next lease has the oldest spans although others leave the ring %d microtasks after this one",
  async (microtasks) => {
    const bench = await DurableBench.open(undefined, { spans: 4 });
    for (const first of [1, 4]) await bench.send(first, 3);

    const leasing = [bench.lease(2), bench.lease(9)] as const;
    const first = await leasing[0];
    for (let passed = 0; passed < microtasks; passed += 1) await undefined;
    bench.append(requestFor(7, 3).bytes);

    expect(numbersIn(first.request)).toEqual([1, 2]);
    expect(numbersIn((await leasing[1]).request)[0]).toBe(3);
  },
);
