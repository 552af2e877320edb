import { afterEach, expect, spyOn, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  RotatingFile,
  type RotatingFileParts,
} from "../../../src/adapters/forward/rotating-file.ts";
import { FILE_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";
import { openFilesIn } from "../../support/processes/open-files.ts";

const root = temporaryFolder();

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const files: RotatingFile[] = [];

afterEach(async () => {
  for (const file of files.splice(0)) await file.close();
});

/** Starts a file in its own folder, with a clock that only the test moves. */
function start(parts: Partial<RotatingFileParts> = {}) {
  const folder = mkdtempSync(join(root, "files-"));
  const path = join(folder, "spans.jsonl");
  const time = { ms: START_MS };
  const nowMs = () => time.ms;
  const file = new RotatingFile({ ...FILE_PARTS, path, format: "json", nowMs, ...parts });
  files.push(file);
  const write = (text: string) => file.append(Buffer.from(text));
  return { file, folder, path, time, write, texts: () => textsIn(folder) };
}

/** Returns the text of every file by its name. */
function textsIn(folder: string): Record<string, string> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

test("frames are appended to a file that only its owner can read", async () => {
  const { file, path, write, texts } = start();

  await write("a\n");
  await write("b\n");
  await file.close();

  expect(texts()).toEqual({ "spans.jsonl": "a\nb\n" });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("frames are appended to an existing file", async () => {
  const { path, write, texts } = start();
  writeFileSync(path, "old\n");

  await write("new\n");

  expect(texts()).toEqual({ "spans.jsonl": "old\nnew\n" });
});

test("a full file is rotated before the frame that does not fit", async () => {
  const { write, texts } = start({ maxBytes: 6 });

  for (const text of ["aa\n", "bb\n", "cc\n"]) await write(text);

  expect(texts()).toEqual({
    "spans-2026-01-02T03-04-05.678Z.jsonl": "aa\nbb\n",
    "spans.jsonl": "cc\n",
  });
});

test("the size of an existing file counts", async () => {
  const { path, write, texts } = start({ maxBytes: 6 });
  writeFileSync(path, "old\n");

  await write("new\n");

  expect(Object.values(texts())).toEqual(["old\n", "new\n"]);
});

test("a frame larger than the maximum gets its own file", async () => {
  const { write, texts } = start({ maxBytes: 3 });

  await write("large\n");
  await write("a\n");

  expect(Object.values(texts())).toEqual(["large\n", "a\n"]);
});

test("a file is rotated at the maximum age, which counts from its creation", async () => {
  const { time, write, texts } = start({ maxAgeMs: 1000 });

  await write("a\n");
  time.ms += 999;
  await write("b\n");
  time.ms += 1;
  await write("c\n");

  expect(texts()).toEqual({
    "spans-2026-01-02T03-04-06.678Z.jsonl": "a\nb\n",
    "spans.jsonl": "c\n",
  });
});

test("without a maximum age, a file is not rotated by age", async () => {
  const { time, write, texts } = start({ maxAgeMs: 0 });

  await write("a\n");
  time.ms += 1e12;
  await write("b\n");

  expect(Object.keys(texts())).toEqual(["spans.jsonl"]);
});

test("the age of a file from an earlier run counts", async () => {
  const { path, write, texts } = start({ maxAgeMs: 1000, nowMs: () => Date.now() + 5000 });
  writeFileSync(path, "old\n");

  await write("new\n");

  expect(Object.values(texts())).toEqual(["old\n", "new\n"]);
});

test("the newest files and those of other names are kept, whatever the clock says", async () => {
  const { folder, time, write, texts } = start({ maxBytes: 2, keep: 2 });
  const others = ["spans-old.jsonl", "spans-2026-01-02T03-04-05.678Z.txt", "other.jsonl"];
  for (const name of others) writeFileSync(join(folder, name), "");

  for (const text of ["1\n", "2\n", "3\n", "4\n", "5\n"]) {
    time.ms -= 1000;
    await write(text);
  }

  const rotated = Object.entries(texts()).filter(([name]) => !others.includes(name));
  expect(rotated.map(([, text]) => text)).toEqual(["3\n", "4\n", "5\n"]);
  expect(Object.keys(texts())).toEqual(expect.arrayContaining(others));
});

test("a file with an incomplete frame at its end is rotated before the next frame", async () => {
  const { path, write, texts } = start();
  writeFileSync(path, "whole\nhal");

  await write("new\n");

  expect(Object.values(texts())).toEqual(["whole\nhal", "new\n"]);
});

test("a file that was moved or removed is created anew", async () => {
  const { folder, path, write, texts } = start();
  await write("a\n");

  renameSync(path, join(folder, "moved"));
  await write("b\n");
  rmSync(path);
  await write("c\n");

  expect(texts()).toEqual({ moved: "a\n", "spans.jsonl": "c\n" });
});

test("a missing folder is reported, and written to once it exists", async () => {
  const { folder, write, texts } = start();
  renameSync(folder, `${folder}-away`);

  await expect(write("a\n")).rejects.toThrow("ENOENT");
  renameSync(`${folder}-away`, folder);
  await write("b\n");

  expect(texts()).toEqual({ "spans.jsonl": "b\n" });
});

test.each([
  { fsync: "never", syncs: [0, 0, 0] },
  { fsync: "rotate", syncs: [0, 1, 2] },
  { fsync: "always", syncs: [1, 2, 2] },
] as const)(
  "with fsync=$fsync, the numbers of syncs after two frames and close() are $syncs",
  async ({ fsync, syncs }) => {
    const { file, write } = start({ fsync, maxBytes: 3 });
    const probe = await open(root, "r");
    const datasync = spyOn(Object.getPrototypeOf(probe) as typeof probe, "datasync");
    await probe.close();
    const counts: number[] = [];

    for (const step of [() => write("a\n"), () => write("b\n"), () => file.close()]) {
      await step();
      counts.push(datasync.mock.calls.length);
    }
    datasync.mockRestore();

    expect(counts).toEqual([...syncs]);
  },
);

test("a frame that cannot be synced is removed", async () => {
  const { write, texts } = start({ fsync: "always" });
  await write("a\n");
  const probe = await open(root, "r");
  const datasync = spyOn(Object.getPrototypeOf(probe) as typeof probe, "datasync");
  await probe.close();
  datasync.mockRejectedValueOnce(new Error("EIO: i/o error"));

  await expect(write("b\n")).rejects.toThrow("EIO");
  datasync.mockRestore();
  await write("c\n");

  expect(texts()).toEqual({ "spans.jsonl": "a\nc\n" });
});

test("a file that cannot be truncated is rotated", async () => {
  const { write, texts } = start({ fsync: "always" });
  await write("a\n");
  const probe = await open(root, "r");
  const handle = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  const spies = [spyOn(handle, "datasync"), spyOn(handle, "truncate")];
  for (const spy of spies) spy.mockRejectedValueOnce(new Error("EIO: i/o error"));

  await expect(write("half")).rejects.toThrow("EIO");
  for (const spy of spies) spy.mockRestore();
  await write("c\n");

  expect(Object.values(texts())).toEqual(["a\nhalf", "c\n"]);
});

test.each(["stat", "sync"] as const)("a file is closed if its %s fails", async (method) => {
  const { folder, write, texts } = start({ fsync: "always" });
  const probe = await open(root, "r");
  const failing = spyOn(Object.getPrototypeOf(probe) as typeof probe, method);
  await probe.close();
  failing.mockRejectedValueOnce(new Error("EIO: i/o error"));

  await expect(write("a\n")).rejects.toThrow("EIO");
  failing.mockRestore();

  expect(openFilesIn(folder)).toBe(0);
  await write("b\n");
  expect(texts()).toEqual({ "spans.jsonl": "b\n" });
});

test("a file is closed if its contents cannot be read", async () => {
  const { folder, path, write } = start();
  writeFileSync(path, "old\n");
  const probe = await open(root, "r");
  const read = spyOn(Object.getPrototypeOf(probe) as typeof probe, "read");
  await probe.close();
  read.mockRejectedValueOnce(new Error("EIO: i/o error"));

  await expect(write("a\n")).rejects.toThrow("EIO");
  read.mockRestore();

  expect(openFilesIn(folder)).toBe(0);
});
