import { describe, expect, test } from "bun:test";
import { recoverLog } from "../../../src/application/log/recover-log.ts";
import type { SpanLog } from "../../../src/application/log/span-log.ts";
import {
  append,
  LogBench,
  numbers,
  requestFor,
  storedNumbers,
  turn,
} from "../../support/disk/opened-log.ts";
import { NO_FAULTS } from "../../support/disk/simulated-disk.ts";

/** Returns a log of requests of two spans each, in several segments, after a power cut. */
async function cutLog(requests: number, segmentBytes = 1_500): Promise<LogBench> {
  const bench = new LogBench({ segmentBytes });
  const log = await bench.open();
  for (const index of numbers(0, requests)) await append(log, 1 + index * 2, 2);
  bench.disk.cutPower();
  return bench;
}

/** Returns the file and the offset of these bytes. */
function locate({ disk }: LogBench, bytes: Uint8Array): { name: string; at: number } {
  const locations = disk.fileNames().map((name) => {
    const content = new Uint8Array(disk.file(name).length);
    disk.file(name).read(0, content);
    return { name, at: Buffer.from(content).indexOf(bytes) };
  });
  return locations.find(({ at }) => at >= 0)!;
}

async function imageOf({ disk }: LogBench): Promise<string[]> {
  return await Promise.all(
    disk.fileNames().map(async (name) => {
      const content = new Uint8Array(disk.file(name).length);
      disk.file(name).read(0, content);
      return `${name} ${content.toHex()}`;
    }),
  );
}

describe("a torn tail", () => {
  test("ends the last segment and is not reported as loss", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 1, 3);
    bench.disk.isEager = false;
    void append(log, 4, 30);
    await turn();
    bench.disk.complete();
    bench.disk.cutPower();
    bench.disk.isEager = true;

    const next = await bench.open();

    expect((await storedNumbers(next)).slice(0, 3)).toEqual([1, 2, 3]);
    expect(next.recovery).toMatchObject({ damage: [], lostSpans: 0 });
    expect(next.stats().spans.received).toBe((await storedNumbers(next)).length);
  });

  test.each([1, 20, 47, 48, 200])("of %d bytes is reported with its location", async (bytes) => {
    const bench = await cutLog(1);
    const [name] = bench.disk.fileNames();
    const { length } = bench.disk.file(name!);
    bench.disk.file(name!).write(new Uint8Array(bytes).fill(7));

    const next = await bench.open();

    expect(next.recovery.torn).toEqual([{ segment: name!, offsetBytes: length, bytes }]);
    expect(await storedNumbers(next)).toEqual([1, 2]);
  });

  test("that is an incomplete header is not a loss, and its file is removed", async () => {
    const bench = await cutLog(1);
    const file = await bench.disk.create("spans-000000000009-00000001.v1");
    await file.append([new Uint8Array(10)]);

    const next = await bench.open();
    await turn();

    expect(next.recovery).toMatchObject({ damage: [], lostSpans: 0, segments: 2 });
    expect(bench.disk.fileNames()).not.toContain("spans-000000000009-00000001.v1");
    expect(await storedNumbers(next)).toEqual([1, 2]);
  });
});

describe("damage", () => {
  test("in the middle is reported with its location, and later records are found", async () => {
    const bench = await cutLog(20);
    await (await bench.open()).close();
    const { bytes } = requestFor(15, 2);
    const { name, at } = locate(bench, bytes);
    bench.disk.file(name).flipBit(at + 9, 3);

    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([...numbers(1, 14), ...numbers(17, 24)]);
    const recordBytes = Math.ceil((48 + bytes.length) / 8) * 8;
    expect(next.recovery.damage).toEqual([
      { segment: name, offsetBytes: at - 48, bytes: recordBytes },
    ]);
    expect(next.recovery.lostSpans).toBe(2);
    expect(next.stats().spans).toMatchObject({ received: 38, buffered: 38 });
  });

  test("anywhere in a segment loses at most one request and is not a torn tail", async () => {
    const clean = await cutLog(12, 1_000_000);
    await (await clean.open()).close();
    const [name] = clean.disk.fileNames();
    for (let at = 0; at < clean.disk.file(name!).length; at += 13) {
      clean.disk.file(name!).flipBit(at, at % 8);

      const { state, recovery } = await recoverLog(clean.parts);

      expect({ at, lost: recovery.lostSpans <= 2, torn: recovery.torn }).toEqual({
        at,
        lost: true,
        torn: [],
      });
      expect(state.ledgers.spans.buffered).toBe(24 - recovery.lostSpans);
      clean.disk.file(name!).flipBit(at, at % 8);
    }
  });

  test("is counted as a loss by the first start only", async () => {
    const bench = await cutLog(20);
    const name = bench.disk.fileNames()[1]!;
    await (await bench.open()).close();
    bench.disk.file(name).flipBit(300, 0);

    const first = await bench.open();
    await first.close();
    const second = await bench.open();

    expect([first.recovery.lostSpans, second.recovery.lostSpans]).toEqual([2, 0]);
    expect(second.recovery.damage).toEqual(first.recovery.damage);
  });

  test("that is found while the log runs loses only the spans that it hits", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    for (const index of numbers(0, 10)) await append(log, 1 + index * 2, 2);
    const { name, at } = locate(bench, requestFor(7, 2).bytes);
    bench.disk.file(name).flipBit(at + 5, 1);

    const stored = await storedNumbers(log);

    expect(stored).toEqual([...numbers(1, 6), ...numbers(9, 12)]);
    expect(bench.events.damaged).toMatchObject([[{ segment: name, lostSpans: 2 }]]);
    expect(log.stats().spans).toMatchObject({ accepted: 20, evicted: 2, buffered: 18 });
  });

  test("does not expose a record that a sender has forged inside a request", async () => {
    const bench = new LogBench();
    const log = await bench.open();
    await append(log, 50, 1);
    const name = bench.disk.fileNames()[0]!;
    const image = new Uint8Array(bench.disk.file(name).length);
    bench.disk.file(name).read(0, image);
    const forged = Buffer.concat([new Uint8Array(8), image.subarray(64)]);
    await log.append({ bytes: forged, spanCount: 1, spanBytes: 10, unixMs: 1 });
    await append(log, 51, 1);
    bench.disk.file(name).flipBit(image.length + 4, 0);

    const { state } = await recoverLog(bench.parts);

    expect(state.ledgers.spans.buffered).toBe(2);
  });
});

describe("a recovery", () => {
  test("changes nothing, so that a second one has the same result", async () => {
    const bench = await cutLog(20);
    bench.disk.file(bench.disk.fileNames()[1]!).flipBit(300, 0);
    const before = await imageOf(bench);

    const first = await recoverLog(bench.parts);
    const second = await recoverLog(bench.parts);

    expect(second.recovery).toEqual(first.recovery);
    expect(second.state.segments).toEqual(first.state.segments);
    expect(await imageOf(bench)).toEqual(before);
  });

  test("syncs the spans of a killed process before they are read", async () => {
    const bench = new LogBench({ durability: "process" });
    const log = await bench.open();
    await append(log, 1, 5);
    bench.disk.kill();

    await recoverLog(bench.parts);
    bench.disk.cutPower();
    const next = await bench.open();

    expect(await storedNumbers(next)).toEqual([1, 2, 3, 4, 5]);
  });

  test("reports a removed segment and serves the others", async () => {
    const bench = await cutLog(20);
    await (await bench.open()).close();
    await bench.disk.remove(bench.disk.fileNames()[1]!);

    const next = await bench.open();

    const stored = await storedNumbers(next);
    expect(next.recovery.missingSegments).toEqual([2]);
    expect(next.recovery.lostSpans).toBe(40 - stored.length);
    expect(stored.length).toBeGreaterThan(20);
  });

  test("ignores a removed segment that has reappeared", async () => {
    const bench = await cutLog(20);
    const log = await bench.open();
    const name = bench.disk.fileNames()[0]!;
    const content = new Uint8Array(bench.disk.file(name).length);
    bench.disk.file(name).read(0, content);
    const lease = await log.lease({ spans: 20, bytes: Infinity });
    log.settle(lease!, "delivered");
    await log.close();
    await (await bench.open()).close();
    await (await bench.disk.create(name)).append([content]);

    const next = await bench.open();
    await turn();

    expect(await storedNumbers(next)).toEqual(numbers(21, 20));
    expect(next.recovery).toMatchObject({ damage: [], torn: [], lostSpans: 0 });
    expect(bench.disk.fileNames()).not.toContain(name);
  });

  test("reports a truncated segment and serves the others", async () => {
    const bench = await cutLog(20);
    await (await bench.open()).close();
    const name = bench.disk.fileNames()[1]!;
    const whole = new Uint8Array(bench.disk.file(name).length);
    bench.disk.file(name).read(0, whole);
    await bench.disk.remove(name);
    await (await bench.disk.create(name)).append([whole.subarray(0, 400)]);

    const next = await bench.open();

    const stored = await storedNumbers(next);
    expect(next.recovery.lostSpans).toBe(40 - stored.length);
    expect(next.recovery.lostSpans).toBeGreaterThan(0);
    expect(stored.at(-1)).toBe(40);
  });

  test("refuses a directory in another format and names both formats", async () => {
    const bench = await cutLog(1);
    await bench.disk.create("spans-000000000009-00000001.v2");

    await expect(bench.open()).rejects.toThrow(
      "spans-000000000009-00000001.v2 is in format 2, and this version reads format 1",
    );
  });

  test("ignores files of other kinds and does not remove them", async () => {
    const bench = await cutLog(1);
    await bench.disk.create("notes.txt");

    const next: SpanLog = await bench.open();

    expect(await storedNumbers(next)).toEqual([1, 2]);
    expect(bench.disk.fileNames()).toContain("notes.txt");
  });

  test("fails if a segment cannot be read, instead of taking it for empty", async () => {
    const bench = await cutLog(3);
    bench.disk.faults = { ...NO_FAULTS, failedReads: 1 };

    await expect(bench.open()).rejects.toThrow("EIO");
  });

  test("repeats a read that failed temporarily", async () => {
    const bench = await cutLog(3);
    const read = bench.disk.read.bind(bench.disk);
    let failures = 2;
    bench.disk.read = async (...range) => {
      failures -= 1;
      if (failures >= 0) throw new Error("EIO: read");
      return await read(...range);
    };

    const next = await bench.open();

    expect(next.recovery).toMatchObject({ lostSpans: 0, restored: { spans: 6 } });
  });
});
