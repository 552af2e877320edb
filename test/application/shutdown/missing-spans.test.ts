import { describe, expect, test } from "bun:test";
import { bufferedSequences, findMissing } from "../../../src/application/shutdown/missing-spans.ts";
import { LogBench, numbers } from "../../support/disk/opened-log.ts";
import { NO_FAULTS, type DiskFaults } from "../../support/disk/simulated-disk.ts";
import { StopBench } from "../../support/disk/stop-bench.ts";

const SPANS = 200;

/** Stops a buffer of 200 spans on a disk with these faults. */
async function stopOn(faults: Partial<DiskFaults>, setting = new LogBench({ durability: "stop" })) {
  const first = await StopBench.open(setting, { spans: 1_000 });
  for (let span = 1; span <= SPANS; span += 4) first.receive(span, 4);
  const { log, ring } = first.bench;
  const sequences = bufferedSequences(log, ring);
  const { disk } = first.disk;
  const used = disk.fileNames().reduce((sum, name) => sum + disk.file(name).length, 0);
  const { capacityBytes = Number.POSITIVE_INFINITY } = faults;
  disk.faults = { ...NO_FAULTS, ...faults, capacityBytes: used + capacityBytes };
  const byOwnAccount = await first.store();
  await log.close();
  const missing = await findMissing(first.disk.parts, sequences);
  disk.faults = NO_FAULTS;
  const next = await StopBench.open(first.disk, { spans: 1_000 });
  return { sequences, byOwnAccount, missing, found: next.sequences(), disk };
}

// Some of these capacities end within a request, some within the first one.
const CAPACITIES = Array.from({ length: 40 }, (_, at) => at * 331);

describe("the spans missing after a stop", () => {
  test("on a full disk are exactly those that the next start lacks", async () => {
    const lacked: number[] = [];
    for (const capacityBytes of CAPACITIES) {
      const { byOwnAccount, missing, found } = await stopOn({ capacityBytes });

      expect([capacityBytes, missing.spans]).toEqual([capacityBytes, SPANS - found.length]);
      expect(missing.spans).toBeLessThanOrEqual(byOwnAccount);
      lacked.push(byOwnAccount - missing.spans);
    }

    // Otherwise the account of the log would do.
    expect(Math.max(...lacked)).toBeGreaterThan(0);
  });

  test("are on stable storage if they are not missing", async () => {
    const { missing, found, disk } = await stopOn({ capacityBytes: 4_000 });
    disk.cutPower();
    const next = await StopBench.open(new LogBench({ durability: "stop" }, disk), { spans: 1_000 });

    expect(missing).toEqual({ spans: SPANS - found.length, isUnsynced: false });
    expect(found.length).toBeGreaterThan(0);
    expect(next.sequences()).toEqual(found);
  });

  test("do not include those that have left", async () => {
    const first = await StopBench.open();
    first.receive(1, 6);
    await first.store();
    const second = await first.next();
    second.receive(7, 4);
    second.bench.buffer.take(2);
    const lease = await second.bench.lease(5);
    second.bench.buffer.settle(lease, "delivered", { first: 1, end: 3 });

    const sequences = bufferedSequences(second.bench.log, second.bench.ring);
    await second.store();
    await second.bench.log.close();

    const ranges = sequences.flatMap((range) => numbers(range.first, range.end - range.first));
    expect(ranges).toEqual([3, 6, 7, 8, 9, 10]);
    expect(await findMissing(second.disk.parts, sequences)).toMatchObject({ spans: 0 });
  });
});
