import { expect, test } from "bun:test";
import { renameSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CHECK_INTERVAL_MS,
  changedFiles,
  type FileContents,
  loadFiles,
  ReloadedFiles,
  SETTLED_MS,
} from "../../../src/adapters/listening/reloaded-files.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const ONE = join(folder, "one");
const TWO = join(folder, "two");

const MISTAKE = { variable: "ONE", value: ONE, bound: "a file of digits" };

function digitsIn(contents: FileContents<string>) {
  const texts = [...contents.values()].map(String);
  return texts.every((text) => /^\d+$/.test(text)) ? { texts } : { mistakes: [MISTAKE] };
}

/** Opens files of digits; `used` lists the texts that were handed on. */
async function open(texts: Readonly<Record<string, string>>) {
  for (const [path, text] of Object.entries(texts)) writeFileSync(path, text);
  const paths = new Map(Object.keys(texts).map((path) => [path, path]));
  const logger = new RecordingLogger();
  const used: { texts: readonly string[]; changed: readonly string[] }[] = [];
  const next = Promise.withResolvers<(typeof used)[number]>();
  const use = (parsed: { texts: string[] }, changed: readonly string[]) => {
    used.push({ ...parsed, changed });
    next.resolve(used[0]!);
  };
  const contents = await loadFiles(paths);
  const files = new ReloadedFiles({ paths, parse: digitsIn, use, logger }, contents);
  return { files, used, logger, nextUse: next.promise };
}

test("a file that is replaced by a rename is used", async () => {
  const { files, used } = await open({ [ONE]: "1" });
  writeFileSync(`${ONE}.new`, "2");
  renameSync(`${ONE}.new`, ONE);

  expect(await files.reload()).toBe(true);
  expect(used).toEqual([{ texts: ["2"], changed: [ONE] }]);
});

test("a named pipe is a mistake, at once", async () => {
  const pipe = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);

  expect([...(await loadFiles(new Map([["PIPE", pipe]]))).values()]).toEqual([
    { reason: "it is not a regular file" },
  ]);
});

test("a folder is a mistake", async () => {
  const [content] = (await loadFiles(new Map([["FOLDER", folder]]))).values();

  expect(content).toHaveProperty("reason");
});

test("unchanged files are not used again", async () => {
  const { files, used } = await open({ [ONE]: "1" });

  expect(await files.reload()).toBe(true);
  expect(used).toEqual([]);
});

test("only the changed files are reported", async () => {
  const { files, used } = await open({ [ONE]: "1", [TWO]: "2" });
  writeFileSync(TWO, "3");
  await files.reload();

  expect(used).toEqual([{ texts: ["1", "3"], changed: [TWO] }]);
});

test("a mistake is logged once, and the old contents stay in use until it is fixed", async () => {
  const { files, used, logger } = await open({ [ONE]: "1" });
  writeFileSync(ONE, "no digits");

  expect([await files.reload(), await files.reload()]).toEqual([false, false]);
  expect(logger.lines).toEqual([{ level: "warning", event: "cannot_reload", fields: MISTAKE }]);
  expect(used).toEqual([]);

  writeFileSync(ONE, "1");
  expect(await files.reload()).toBe(true);
  expect(used).toEqual([]);
});

test("a file that disappears is a mistake", async () => {
  const { files, used } = await open({ [ONE]: "1" });
  unlinkSync(ONE);

  expect(await files.reload()).toBe(false);
  expect(used).toEqual([]);
});

test("concurrent calls share one reading", async () => {
  const { files, used } = await open({ [ONE]: "1" });
  writeFileSync(ONE, "2");

  expect(await Promise.all([files.reload(), files.reload()])).toEqual([true, true]);
  expect(used.length).toBe(1);
});

test("nothing changes once it is closed", async () => {
  const { files, used } = await open({ [ONE]: "1" });
  writeFileSync(ONE, "2");
  files.close();

  expect(await files.reload()).toBe(false);
  expect(used).toEqual([]);
});

/** Says that a file was written so long ago. */
function age(path: string, ageMs: number): void {
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

test("watched files are read at each interval, until the watch ends", async () => {
  const { files, nextUse } = await open({ [ONE]: "1" });
  const clock = new HandMovedClock();
  const end = files.watch(clock);
  writeFileSync(ONE, "2");
  age(ONE, 2 * SETTLED_MS);

  clock.moveMs(CHECK_INTERVAL_MS - 1);
  const early = clock.pendingActions;
  clock.moveMs(1);
  const used = await nextUse;
  end();

  expect({ early, late: clock.pendingActions }).toEqual({ early: 1, late: 0 });
  expect(used).toEqual({ texts: ["2"], changed: [ONE] });
});

/** The age of a file that will not have settled, however slow the machine is. */
const AHEAD_MS = -3_600_000;

test("a watched file is not read while it is being written", async () => {
  const { files, used, nextUse } = await open({ [ONE]: "1" });
  const clock = new HandMovedClock();
  const end = files.watch(clock);
  writeFileSync(ONE, "2");
  age(ONE, AHEAD_MS);

  clock.moveMs(CHECK_INTERVAL_MS);
  // The watch, and the look at the file that follows.
  while (clock.pendingActions < 2) await nextTurn();
  const usedHalf = used.length;
  writeFileSync(ONE, "23");
  age(ONE, 2 * SETTLED_MS);
  clock.moveMs(SETTLED_MS);
  const usedWhole = await nextUse;
  end();

  expect(usedHalf).toBe(0);
  expect(usedWhole.texts).toEqual(["23"]);
});

test("a watch that ends does not wait for a file that is being written", async () => {
  const { files } = await open({ [ONE]: "1" });
  const clock = new HandMovedClock();
  const end = files.watch(clock);
  age(ONE, AHEAD_MS);
  clock.moveMs(CHECK_INTERVAL_MS);
  while (clock.pendingActions < 2) await nextTurn();

  end();

  expect(clock.pendingActions).toBe(0);
});

test("a watched file that never settles is read before the next interval", async () => {
  const { files, nextUse } = await open({ [ONE]: "1" });
  const clock = new HandMovedClock();
  const end = files.watch(clock);
  writeFileSync(ONE, "2");
  age(ONE, AHEAD_MS);

  clock.moveMs(CHECK_INTERVAL_MS);
  for (let lookMs = SETTLED_MS; lookMs < CHECK_INTERVAL_MS; lookMs += SETTLED_MS) {
    while (clock.pendingActions < 2) await nextTurn();
    clock.moveMs(SETTLED_MS);
  }
  const { texts } = await nextUse;
  end();

  expect(texts).toEqual(["2"]);
});

test("without files, nothing is watched", async () => {
  const { files } = await open({});
  const clock = new HandMovedClock();

  const endWatch = files.watch(clock);
  const pending = clock.pendingActions;
  endWatch();

  expect([pending, clock.pendingActions]).toEqual([0, 0]);
});

test("contents are compared by bytes, and by the reason why they cannot be read", () => {
  const before: FileContents<string> = new Map<string, Buffer | { reason: string }>([
    ["same", Buffer.from("1")],
    ["changed", Buffer.from("1")],
    ["lost", Buffer.from("1")],
    ["unreadable", { reason: "EACCES" }],
    ["stillUnreadable", { reason: "EACCES" }],
  ]);
  const after: FileContents<string> = new Map<string, Buffer | { reason: string }>([
    ["same", Buffer.from("1")],
    ["changed", Buffer.from("2")],
    ["lost", { reason: "ENOENT" }],
    ["unreadable", { reason: "ENOENT" }],
    ["stillUnreadable", { reason: "EACCES" }],
  ]);

  expect(changedFiles(before, after)).toEqual(["changed", "lost", "unreadable"]);
});
