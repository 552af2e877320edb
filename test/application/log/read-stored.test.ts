import { describe, expect, test } from "bun:test";
import type { SpanLog } from "../../../src/application/log/span-log.ts";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { append, LogBench, numbers, requestFor } from "../../support/disk/opened-log.ts";

/** Returns a log with twenty requests of two spans each, in several segments. */
async function filled(): Promise<{ bench: LogBench; log: SpanLog }> {
  const bench = new LogBench({ segmentBytes: 1_500 });
  const log = await bench.open();
  for (const index of numbers(0, 20)) await append(log, 1 + index * 2, 2);
  return { bench, log };
}

/** Returns the sequences that are read, and the number of the first span of each request. */
async function readFrom(log: SpanLog, from: number, maxRequests = Infinity) {
  const firsts: number[] = [];
  const stored: number[] = [];
  await log.read(from, (request, ranges) => {
    firsts.push(numbersIn(request.bytes)[0]!);
    for (const { first, end } of ranges) stored.push(...numbers(first, end - first));
    return firsts.length < maxRequests;
  });
  return { firsts, stored };
}

describe("stored spans are read", () => {
  test("from a sequence on, in order, in whole requests, and stay stored", async () => {
    const { log } = await filled();

    const { firsts, stored } = await readFrom(log, 14);

    expect(firsts).toEqual(numbers(0, 14).map((index) => 13 + index * 2));
    expect(stored).toEqual(numbers(13, 28));
    expect(log.stats().spans.buffered).toBe(40);
  });

  test("until the reader has enough", async () => {
    const { log } = await filled();

    expect((await readFrom(log, 1, 3)).firsts).toEqual([1, 3, 5]);
  });

  test("without departed spans, and with leased ones", async () => {
    const { log } = await filled();
    const lease = await log.lease({ spans: 7, bytes: Infinity });
    log.settle(lease!, "delivered", { first: 1, end: 5 });

    expect((await readFrom(log, 1)).stored).toEqual([1, ...numbers(6, 35)]);
  });

  test("after damage, which loses only the spans that it hits", async () => {
    const { bench, log } = await filled();
    const [name] = bench.disk.fileNames();
    const content = new Uint8Array(bench.disk.file(name!).length);
    bench.disk.file(name!).read(0, content);
    const at = Buffer.from(content).indexOf(requestFor(5, 2).bytes);
    bench.disk.file(name!).flipBit(at + 3, 0);

    expect((await readFrom(log, 1)).stored).toEqual([...numbers(1, 4), ...numbers(7, 34)]);
    expect(bench.events.damaged).toMatchObject([[{ segment: name!, lostSpans: 2 }]]);
  });

  test("down to the last one, and none from an empty log", async () => {
    const { log } = await filled();
    const lease = await log.lease({ spans: 39, bytes: Infinity });
    log.settle(lease!, "delivered");

    expect((await readFrom(log, 1)).stored).toEqual([40]);
    log.clear();
    expect((await readFrom(log, 1)).stored).toEqual([]);
  });
});

test("the log knows when its oldest span arrived, even after a restart", async () => {
  const bench = new LogBench();
  const log = await bench.open();
  await log.append({ ...requestFor(1, 2), unixMs: 1000 });
  for (const index of numbers(1, 100)) {
    await log.append({ ...requestFor(1 + index * 2, 2), unixMs: 1000 + index });
  }
  const before = log.stats().oldestUnixMs;
  const lease = await log.lease({ spans: 190, bytes: Infinity });
  log.settle(lease!, "delivered");
  await log.close();

  const next = await bench.open();

  expect(before).toBe(1000);
  const oldest = next.stats().oldestUnixMs!;
  expect(oldest).toBeGreaterThan(1080);
  expect(oldest).toBeLessThanOrEqual(1095);
  next.clear();
  expect(next.stats().oldestUnixMs).toBeUndefined();
});
