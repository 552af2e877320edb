import { expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CannotInspectError } from "../../src/adapters/cli/command/command-run.ts";
import { DirectoryDisk } from "../../src/adapters/disk/directory-disk.ts";
import { SpanLog } from "../../src/application/log/span-log.ts";
import { inspectDirectory } from "../../src/server/inspect-directory.ts";
import { copiedLog, GOLDEN_LOG, GOLDEN_NAMES } from "../support/disk/golden-log.ts";
import { append, LogBench } from "../support/disk/opened-log.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const folder = temporaryFolder();

const GOLDEN = {
  segments: [
    {
      name: GOLDEN_NAMES[0],
      formatVersion: 1,
      fileBytes: 1_176,
      firstSequence: 1,
      nextSequence: 4,
      spans: 1,
      spanBytes: 885,
    },
    {
      name: GOLDEN_NAMES[1],
      formatVersion: 1,
      fileBytes: 720,
      firstSequence: 4,
      nextSequence: 10,
      spans: 6,
      spanBytes: 363,
    },
  ],
  fileBytes: 1_896,
  restored: { spans: 7, bytes: 1_248 },
  damage: [],
  torn: [],
  lostSpans: 0,
  missingSegments: [],
};

const contentsOf = (path: string): [name: string, content: string][] =>
  readdirSync(path)
    .toSorted()
    .map((name) => [name, readFileSync(join(path, name)).toString("hex")]);

test("the golden log, written by an earlier build, is read in full", async () => {
  expect(await inspectDirectory(GOLDEN_LOG)).toEqual(GOLDEN);
});

test("the golden log is what this build writes", async () => {
  const path = mkdtempSync(join(folder, "written-"));
  const disk = await DirectoryDisk.open(path);
  const { parts } = new LogBench({ segmentBytes: 1_000 });
  const log = await SpanLog.open({ ...parts, disk });
  for (const first of [1, 4, 7]) await append(log, first, 3);
  const lease = await log.lease({ spans: 2, bytes: 1_000_000 });
  log.settle(lease!, "delivered");
  await log.close();
  await disk.close();

  expect(contentsOf(path).filter(([name]) => name !== "lock")).toEqual(contentsOf(GOLDEN_LOG));
});

test("an inspection changes nothing, and creates no lock file", async () => {
  const path = copiedLog(folder);
  const before = contentsOf(path);

  await inspectDirectory(path);

  expect(contentsOf(path)).toEqual(before);
});

test("damage is reported where it is, and with the spans that it has cost", async () => {
  const path = copiedLog(folder);
  const file = join(path, GOLDEN_NAMES[0]);
  const bytes = readFileSync(file);
  bytes[200]! ^= 1;
  writeFileSync(file, bytes);

  const { damage, lostSpans, restored, torn } = await inspectDirectory(path);

  // After the header of 64 bytes and a record of 48 about the older segment.
  expect(damage).toEqual([{ segment: GOLDEN_NAMES[0], offsetBytes: 112, bytes: 1_064 }]);
  expect({ lostSpans, spans: restored.spans, torn }).toEqual({ lostSpans: 1, spans: 6, torn: [] });
});

test("bytes after the last record are torn, and no loss", async () => {
  const path = copiedLog(folder);
  writeFileSync(join(path, GOLDEN_NAMES[1]), new Uint8Array(24), { flag: "a" });

  expect(await inspectDirectory(path)).toEqual({
    ...GOLDEN,
    segments: [GOLDEN.segments[0]!, { ...GOLDEN.segments[1]!, fileBytes: 744 }],
    fileBytes: 1_920,
    torn: [{ segment: GOLDEN_NAMES[1], offsetBytes: 720, bytes: 24 }],
  });
});

test("a removed file is reported as missing, with its spans", async () => {
  const path = copiedLog(folder);
  renameSync(join(path, GOLDEN_NAMES[0]), join(folder, "elsewhere"));

  const { missingSegments, lostSpans, restored } = await inspectDirectory(path);

  expect({ missingSegments, lostSpans, spans: restored.spans }).toEqual({
    missingSegments: [2],
    lostSpans: 1,
    spans: 6,
  });
});

test("a directory without a log has no segments", async () => {
  const path = mkdtempSync(join(folder, "empty-"));

  expect((await inspectDirectory(path)).segments).toEqual([]);
});

test("a directory in use is refused, and its owner goes on", async () => {
  const path = copiedLog(folder);
  const owner = await DirectoryDisk.open(path);

  await expect(inspectDirectory(path)).rejects.toThrow("another process uses it");
  await expect(DirectoryDisk.open(path)).rejects.toThrow("is locked");
  await owner.close();

  expect(await inspectDirectory(path)).toEqual(GOLDEN);
});

test("files of another format are not guessed at", async () => {
  const path = copiedLog(folder);
  renameSync(join(path, GOLDEN_NAMES[1]), join(path, GOLDEN_NAMES[1].replace(".v1", ".v2")));

  const inspecting = inspectDirectory(path);

  await expect(inspecting).rejects.toThrow(CannotInspectError);
  await expect(inspecting).rejects.toThrow("in format 2, and this version reads format 1");
});

test.each([
  { path: "nothing", reason: "no such file or folder" },
  { path: "file", reason: "part of the path is not a folder" },
])("a path to $path is refused", async ({ path, reason }) => {
  writeFileSync(join(folder, "file"), "");

  await expect(inspectDirectory(join(folder, path))).rejects.toThrow(reason);
});

test("a lock that cannot be read is refused", async () => {
  const path = copiedLog(folder);
  mkdirSync(join(path, "lock"));

  await expect(inspectDirectory(path)).rejects.toThrow(CannotInspectError);
});
