import { expect, test } from "bun:test";
import { crc32 } from "../../../src/adapters/disk/directory-disk.ts";
import { inspectLog } from "../../../src/application/log/inspect-log.ts";
import { append, LogBench, numbers } from "../../support/disk/opened-log.ts";

/** Returns a closed log of ten requests of two spans each, in several segments. */
async function closedLog(): Promise<LogBench> {
  const bench = new LogBench({ segmentBytes: 1_500 });
  const log = await bench.open();
  for (const index of numbers(0, 10)) await append(log, 1 + index * 2, 2);
  await log.close();
  return bench;
}

test("an inspection finds what a start finds, and only reads", async () => {
  const { disk, ...bench } = await closedLog();
  disk.file(disk.fileNames()[1]!).flipBit(300, 0);
  const from = disk.begun.length;

  const found = await inspectLog({ disk, checksum: crc32 });
  const begun = disk.begun.slice(from).map((operation) => operation.split(" ")[0]!);
  const next = await new LogBench(bench.parts.settings, disk).open();

  expect([...new Set(begun)].toSorted()).toEqual(["list", "read"]);
  const { unsynced, ...recovery } = next.recovery;
  expect(unsynced).toEqual([]);
  expect({ ...found, segments: found.segments.length }).toEqual(recovery);
  expect(found).toMatchObject({ lostSpans: 2, restored: { spans: 18 } });
});

test("the segments are listed with their sequences, their spans and their sizes", async () => {
  const { disk } = await closedLog();

  const { segments, restored, fileBytes } = await inspectLog({ disk, checksum: crc32 });

  expect(segments.map(({ name }) => name)).toEqual(disk.fileNames().toSorted());
  expect(segments.map(({ fileBytes: bytes }) => bytes)).toEqual(
    segments.map(({ name }) => disk.file(name).length),
  );
  expect([segments[0]!.firstSequence, segments.at(-1)!.nextSequence]).toEqual([1, 21]);
  expect(segments.slice(1).map(({ firstSequence }) => firstSequence)).toEqual(
    segments.slice(0, -1).map(({ nextSequence }) => nextSequence),
  );
  expect(segments.reduce((sum, { spans }) => sum + spans, 0)).toBe(20);
  expect(segments.reduce((sum, { spanBytes }) => sum + spanBytes, 0)).toBe(restored.bytes);
  expect(segments.reduce((sum, each) => sum + each.fileBytes, 0)).toBe(fileBytes);
});
