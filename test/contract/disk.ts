import { describe, expect, test } from "bun:test";
import type { Disk } from "../../src/ports/disk.ts";

// The contract of every disk. Each test starts with an empty one.

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(disk: Disk, name: string): Promise<string> {
  const into = new Uint8Array(100_000);
  const length = await disk.read(name, 0, into);
  return new TextDecoder().decode(into.subarray(0, length));
}

async function write(disk: Disk, name: string, text: string): Promise<void> {
  const file = await disk.create(name);
  await file.append([bytes(text)]);
  await file.close();
}

async function namesIn(disk: Disk): Promise<string[]> {
  return (await disk.list()).map(({ name }) => name).toSorted();
}

export function describeDisk(name: string, create: () => Promise<Disk>): void {
  describe(`${name}, as a disk`, () => {
    test("has no files before any was created", async () => {
      const disk = await create();

      expect(await disk.list()).toEqual([]);
    });

    test("lists created files with their lengths", async () => {
      const disk = await create();

      await write(disk, "one", "12345");
      await disk.create("two");

      const files = (await disk.list()).toSorted((left, right) => left.bytes - right.bytes);
      expect(files).toEqual([
        { name: "two", bytes: 0 },
        { name: "one", bytes: 5 },
      ]);
    });

    test("does not create a file twice, and does not change the first one", async () => {
      const disk = await create();
      await write(disk, "one", "first");

      await expect(disk.create("one")).rejects.toThrow();

      expect(await textOf(disk, "one")).toBe("first");
    });

    test("appends pieces in order, including empty ones, to the end", async () => {
      const disk = await create();
      const file = await disk.create("one");

      await file.append([bytes("ab"), bytes(""), bytes("c")]);
      await file.append([bytes("de")]);
      await file.append([]);

      expect(await textOf(disk, "one")).toBe("abcde");
    });

    test("appends more pieces than the kernel takes at a time", async () => {
      const disk = await create();
      const file = await disk.create("one");
      const pieces = Array.from({ length: 3000 }, (_, index) => bytes(`${index},`));

      await file.append(pieces);

      expect(await textOf(disk, "one")).toBe(pieces.map((each) => Buffer.from(each)).join(""));
    });

    test("appends views of shared memory without the bytes around them", async () => {
      const disk = await create();
      const file = await disk.create("one");
      const shared = new Uint8Array(new SharedArrayBuffer(9));
      shared.set(bytes("--shared-"));

      await file.append([shared.subarray(2, 8)]);

      expect(await textOf(disk, "one")).toBe("shared");
    });

    test("reads from an offset up to the end of the target or of the file", async () => {
      const disk = await create();
      await write(disk, "one", "0123456789");
      const into = new Uint8Array(4);

      const lengths = [await disk.read("one", 2, into), await disk.read("one", 8, into)];

      expect(lengths).toEqual([4, 2]);
      expect(new TextDecoder().decode(into)).toBe("8945");
      expect(await disk.read("one", 20, into)).toBe(0);
    });

    test("reads appended data before and after a sync", async () => {
      const disk = await create();
      const file = await disk.create("one");
      await file.append([bytes("ab")]);

      const before = await textOf(disk, "one");
      await file.sync();
      await disk.sync("one");
      await disk.syncDirectory();

      expect([before, await textOf(disk, "one")]).toEqual(["ab", "ab"]);
    });

    test("removes a file, whose name can then be used again", async () => {
      const disk = await create();
      await write(disk, "one", "old");
      await write(disk, "two", "other");

      await disk.remove("one");

      expect(await namesIn(disk)).toEqual(["two"]);
      await expect(disk.read("one", 0, new Uint8Array(1))).rejects.toThrow();
      await write(disk, "one", "new");
      expect(await textOf(disk, "one")).toBe("new");
    });

    test("rejects operations on a file that does not exist", async () => {
      const disk = await create();

      await expect(disk.read("none", 0, new Uint8Array(1))).rejects.toThrow();
      await expect(disk.sync("none")).rejects.toThrow();
      await expect(disk.remove("none")).rejects.toThrow();
    });
  });
}
