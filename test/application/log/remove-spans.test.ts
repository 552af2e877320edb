import { describe, expect, test } from "bun:test";
import type { SequenceRange } from "../../../src/application/log/sequence-ranges.ts";
import { append, LogBench, numbers, storedNumbers, turn } from "../../support/disk/opened-log.ts";

describe("spans removed by their sequences", () => {
  test.each<{ name: string; range: SequenceRange; left: number[] }>([
    { name: "inside a request", range: { first: 2, end: 4 }, left: [1, 4, 5, 6, 7] },
    { name: "across requests", range: { first: 4, end: 7 }, left: [1, 2, 3, 7] },
    { name: "beyond both ends", range: { first: 0, end: 1_000 }, left: [] },
    { name: "none at all", range: { first: 8, end: 9 }, left: numbers(1, 7) },
  ])("are gone, and no others: $name", async ({ range, left }) => {
    const log = await new LogBench().open();
    await append(log, 1, 5);
    await append(log, 6, 2);

    log.remove(range, "taken");

    expect(await storedNumbers(log)).toEqual(left);
    expect(log.stats().spans).toMatchObject({ buffered: left.length, taken: 7 - left.length });
  });

  test("stay removed after a stop", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 5);

    log.remove({ first: 2, end: 4 }, "evicted");
    await log.close();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([1, 4, 5]);
  });

  test("are removed once, and not while they are leased", async () => {
    const log = await new LogBench().open();
    await append(log, 1, 5);
    const lease = await log.lease({ spans: 2, bytes: Infinity });

    log.remove({ first: 1, end: 4 }, "taken");
    log.remove({ first: 1, end: 4 }, "evicted");
    log.settle(lease!, "returned");

    expect(await storedNumbers(log)).toEqual([1, 2, 4, 5]);
    expect(log.stats().spans).toMatchObject({ taken: 1, evicted: 0 });
  });

  test("leave exact sums of bytes once a segment is spent", async () => {
    const log = await new LogBench().open();
    await append(log, 1, 7);
    const { accepted } = log.stats().bytes;

    for (const first of numbers(1, 7)) log.remove({ first, end: first + 1 }, "delivered");

    expect(log.stats().bytes).toMatchObject({ buffered: 0, delivered: accepted });
  });

  test("across segments remove the files of the spent ones", async () => {
    const bench = new LogBench({ segmentBytes: 1_500 });
    const log = await bench.open();
    for (const first of [1, 21, 41, 61]) await append(log, first, 20);
    const before = log.stats().segments;

    log.remove({ first: 1, end: 61 }, "taken");
    await turn();
    await append(log, 81, 1);
    await turn();

    expect(log.stats().segments).toBeLessThan(before);
    expect(await storedNumbers(log)).toEqual(numbers(61, 21));
  });
});
