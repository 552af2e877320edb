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
  test("is created if missing, accessible only to its owner", async () => {
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

  test("is closed to other users when it is opened", async () => {
    const path = emptyFolder();
    chmodSync(path, 0o755);

    const disk = await DirectoryDisk.open(path);

    expect(modeOf(path)).toBe("700");
    await disk.close();
  });

  test("lists regular files only", async () => {
    const path = emptyFolder();
    mkdirSync(join(path, "folder"));
    writeFileSync(join(path, "file"), "12");
    symlinkSync("file", join(path, "link"));
    const disk = await DirectoryDisk.open(path);

    expect(await disk.list()).toEqual([{ name: "file", bytes: 2 }]);
    await disk.close();
  });

  test("is refused if its path is a file", async () => {
    const path = join(emptyFolder(), "file");
    writeFileSync(path, "");

    await expect(DirectoryDisk.open(path)).rejects.toThrow();
  });

  test("keeps a log across a stop", async () => {
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

/** Writes the pieces to a kernel that accepts this number of bytes per call. */
async function writeTo(pieces: string[], bytesAtATime: number) {
  let accepted = "";
  const calls: number[] = [];
  const texts = pieces.map((piece) => new TextEncoder().encode(piece));
  await writeAll(texts, async (some) => {
    const offered = Buffer.concat(some).toString();
    calls.push(some.length);
    accepted += offered.slice(0, bytesAtATime);
    return await Promise.resolve(Math.min(bytesAtATime, offered.length));
  });
  return { accepted, calls };
}

describe("a write", () => {
  test.each([1, 2, 3, 5, 7, 100])(
    "that accepts %d bytes at a time loses none",
    async (bytesAtATime) => {
      const pieces = ["abc", "", "d", "efgh", "ij"];

      const { accepted } = await writeTo(pieces, bytesAtATime);

      expect(accepted).toBe("abcdefghij");
    },
  );

  test("passes at most 1,024 pieces per call", async () => {
    const { accepted, calls } = await writeTo(Array<string>(2500).fill("x"), 10_000);

    expect(accepted).toHaveLength(2500);
    expect(calls).toEqual([1024, 1024, 452]);
  });

  test("fails instead of looping if it makes no progress", async () => {
    const writing = writeTo(["abc"], 0);

    await expect(writing).rejects.toThrow("the disk accepts no more bytes");
  });

  test("is not repeated after a failure", async () => {
    let calls = 0;

    const writing = writeAll([new Uint8Array(3)], () => {
      calls += 1;
      return Promise.reject(new Error("ENOSPC"));
    });

    await expect(writing).rejects.toThrow("ENOSPC");
    expect(calls).toBe(1);
  });
});
