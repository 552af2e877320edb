import { describe, expect, test } from "bun:test";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { append, LogBench, numbers, requestFor, turn } from "../../support/opened-log.ts";

describe("leases", () => {
  test("take the oldest spans, whole requests as they came", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 3);
    await append(log, 4, 2);

    const lease = await log.lease({ spans: 5, bytes: Infinity });

    const both = Buffer.concat([requestFor(1, 3).bytes, requestFor(4, 2).bytes]);
    expect(Buffer.from(lease!.request).equals(both)).toBe(true);
  });

  test("cut a request where the limit is, and the next lease goes on there", async () => {
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

  test("give nobody the same span, however many are asked for at a time", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    for (const number of numbers(0, 20)) await append(log, 1 + number * 3, 3);

    const leases = await Promise.all(
      numbers(1, 8).map((spans) => log.lease({ spans, bytes: Infinity })),
    );

    expect(leases.flatMap((lease) => lease!.sequences)).toEqual(numbers(1, 36));
  });

  test("that are returned come first again, before what was read meanwhile", async () => {
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

  test("read from the middle of a segment without stepping over all of it", async () => {
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
