import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, DirectoryDisk, writeAll } from "../../../src/adapters/disk/directory-disk.ts";
import { SpanLog } from "../../../src/application/log/span-log.ts";
import { append, LogBench, numbers, storedNumbers } from "../../support/disk/opened-log.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const emptyFolder = (): string => mkdtempSync(join(folder, "disk-"));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("a directory", () => {
  test("is made if need be, and only its owner may look into it", async () => {
    const path = join(emptyFolder(), "deep", "data");

    const disk = await DirectoryDisk.open(path);
    await disk.create("one");

    expect([modeOf(path), modeOf(join(path, "one")), modeOf(join(path, "lock"))]).toEqual([
      "700",
      "600",
      "600",
    ]);
    await disk.close();
  });

  test("that was open to others is so no more", async () => {
    const path = emptyFolder();
    chmodSync(path, 0o755);

    const disk = await DirectoryDisk.open(path);

    expect(modeOf(path)).toBe("700");
    await disk.close();
  });

  test("lists files only", async () => {
    const path = emptyFolder();
    mkdirSync(join(path, "folder"));
    writeFileSync(join(path, "file"), "12");
    symlinkSync("file", join(path, "link"));
    const disk = await DirectoryDisk.open(path);

    expect(await disk.list()).toEqual([{ name: "file", bytes: 2 }]);
    await disk.close();
  });

  test("that is a file is refused", async () => {
    const path = join(emptyFolder(), "file");
    writeFileSync(path, "");

    await expect(DirectoryDisk.open(path)).rejects.toThrow();
  });

  test("holds a log across a stop", async () => {
    const path = emptyFolder();
    const bench = new LogBench({ segmentBytes: 3_000 });
    const first = await DirectoryDisk.open(path);
    const log = await SpanLog.open({ ...bench.parts, disk: first, checksum: crc32 });
    await Promise.all(numbers(1, 100).map((number) => append(log, number, 1)));
    await log.close();
    await first.close();

    const disk = await DirectoryDisk.open(path);
    const next = await SpanLog.open({ ...bench.parts, disk });

    expect(await storedNumbers(next)).toEqual(numbers(1, 100));
    await next.close();
    await disk.close();
  });
});

/** What a kernel that takes so many bytes at a time has been given. */
async function writtenBy(pieces: string[], bytesAtATime: number) {
  let taken = "";
  const calls: number[] = [];
  const texts = pieces.map((piece) => new TextEncoder().encode(piece));
  await writeAll(texts, async (some) => {
    const offered = Buffer.concat(some).toString();
    calls.push(some.length);
    taken += offered.slice(0, bytesAtATime);
    return await Promise.resolve(Math.min(bytesAtATime, offered.length));
  });
  return { taken, calls };
}

describe("a write", () => {
  test.each([1, 2, 3, 5, 7, 100])("of %d bytes at a time loses none", async (bytesAtATime) => {
    const pieces = ["abc", "", "d", "efgh", "ij"];

    const { taken } = await writtenBy(pieces, bytesAtATime);

    expect(taken).toBe("abcdefghij");
  });

  test("offers the kernel no more pieces than it takes", async () => {
    const { taken, calls } = await writtenBy(Array<string>(2500).fill("x"), 10_000);

    expect(taken).toHaveLength(2500);
    expect(calls).toEqual([1024, 1024, 452]);
  });

  test("that makes no progress fails instead of looping", async () => {
    const writing = writtenBy(["abc"], 0);

    await expect(writing).rejects.toThrow("the disk accepts no more bytes");
  });

  test("that fails is not tried again", async () => {
    let calls = 0;

    const writing = writeAll([new Uint8Array(3)], () => {
      calls += 1;
      return Promise.reject(new Error("ENOSPC"));
    });

    await expect(writing).rejects.toThrow("ENOSPC");
    expect(calls).toBe(1);
  });
});
