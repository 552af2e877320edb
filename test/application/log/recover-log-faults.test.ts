import { expect, test } from "bun:test";
import { append, LogBench, storedNumbers } from "../../support/disk/opened-log.ts";

async function killedLog(): Promise<LogBench> {
  const bench = new LogBench({ durability: "process" });
  await append(await bench.open(), 1, 2);
  bench.disk.kill();
  return bench;
}

const failing = () => Promise.reject(new Error("EIO: sync"));

test("a segment that cannot be synced is reported, and its spans are served", async () => {
  const bench = await killedLog();
  const segments = bench.disk.fileNames();
  bench.disk.sync = failing;

  const next = await bench.open();

  expect(segments).toHaveLength(1);
  expect(next.recovery.unsynced).toEqual(segments);
  expect(await storedNumbers(next)).toEqual([1, 2]);
});

test("a directory that cannot be synced is reported, and its spans are served", async () => {
  const bench = await killedLog();
  bench.disk.syncDirectory = failing;

  const next = await bench.open();

  expect(next.recovery.unsynced).toEqual(["the directory"]);
  expect(await storedNumbers(next)).toEqual([1, 2]);
});

test("a recovery that can sync everything reports nothing", async () => {
  const bench = await killedLog();

  const next = await bench.open();

  expect(next.recovery.unsynced).toEqual([]);
});
