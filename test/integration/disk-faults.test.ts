import { describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import {
  missingIn,
  type Sent,
  sendNext,
  spanNumbersOf,
} from "../support/running/counted-sender.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { notRun } from "../support/running/not-run.ts";
import {
  FREE_PORTS,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { CAN_MOUNT, mountSmallDisk } from "../support/running/small-disk.ts";
import { CAN_TRACE, injectFault } from "../support/running/system-call-faults.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: whatever becomes of a system call on the data directory, no acknowledged span is lost, and
// the program goes on once the disk works again.
// Method: strace changes the calls of the running program while a client notes what is
// acknowledged; then a kill, and a start that must have all of it.

const root = temporaryFolder();
const SPANS = 100;
/** The smallest log: files of 64 KiB, so that files are created and removed all the time. */
const SMALL_LOG = {
  MAX_DISK_BYTES: "1MiB",
  MAX_BUFFER_SIZE: "100000",
  SYNC_INTERVAL_MS: "5",
};
/** Requests that fill the log, so that the next ones evict. */
const FILL = 160;

const CALLS = [
  { call: "writev", is: "a write" },
  { call: "fdatasync", is: "a sync" },
  { call: "openat", is: "the creation of a file" },
  { call: "?unlink,?unlinkat", is: "the removal of a file" },
  { call: "fsync", is: "the sync of the directory" },
];
// A long run has every fault at both levels.
const IS_LONG = fuzzRuns(1) > 1;
const LEVELS = IS_LONG ? ["disk", "process"] : ["disk"];
const ERRORS = IS_LONG ? ["EIO", "ENOSPC", "EROFS"] : ["EIO"];
const TRACED = CAN_TRACE ? CALLS : [];
const KILLED = TRACED.flatMap((row) => LEVELS.map((level) => ({ ...row, level })));
const FAILED = KILLED.flatMap((row) => ERRORS.map((error) => ({ ...row, error })));
const DELAYED = IS_LONG ? KILLED : KILLED.slice(0, 2);
if (!CAN_TRACE) notRun(2 * CALLS.length + 2, "strace is missing, or may not trace");

async function startFull(level: string, sent: Sent) {
  const env = { ...SMALL_LOG, DATA_DIR: mkdtempSync(join(root, "log-")), DURABILITY: level };
  const program = await startProgram(env);
  for (let request = 0; request < FILL; request += 1) await sendNext(program, sent, SPANS);
  return { env, program };
}

async function evictedSpans({ apiUrl }: RunningProgram): Promise<number> {
  const stats = (await (await fetch(`${apiUrl}/api/stats`)).json()) as {
    spans: { evicted: number };
  };
  return stats.spans.evicted;
}

/** Sends until the log of the program has an event. Returns the statuses of the requests. */
async function sendUntil(program: RunningProgram, sent: Sent, event: string) {
  const statuses = new Set<number | undefined>();
  while (!program.log().some((line) => line.event === event)) {
    statuses.add(await sendNext(program, sent, SPANS));
  }
  return statuses;
}

test.each(FAILED)(
  "if $is fails with $error at level $level, requests are refused and nothing is lost",
  async ({ call, error, level }) => {
    const sent: Sent = { next: 1, acknowledged: [] };
    const { env, program } = await startFull(level, sent);
    await using _ = program;

    const faults = await injectFault(program.pid, call, `error=${error}`);
    await sendUntil(program, sent, "disk_failed");
    const refused = await sendNext(program, sent, SPANS);
    const readable = await spanNumbersOf(program);
    await faults[Symbol.asyncDispose]();
    await sendUntil(program, sent, "disk_recovered");
    const accepted = await sendNext(program, sent, SPANS);
    const evicted = await evictedSpans(program);
    process.kill(program.pid, "SIGKILL");
    await program.exited;
    await using next = await startProgram(env);
    const found = await spanNumbersOf(next);

    expect([refused, accepted]).toEqual([503, 200]);
    expect(readable.length).toBeGreaterThan(0);
    expectKept(found, sent, evicted + (await evictedSpans(next)));
  },
);

test.each(KILLED)(
  "a kill during $is at level $level loses no acknowledged span",
  async ({ call, level }) => {
    const sent: Sent = { next: 1, acknowledged: [] };
    const { env, program } = await startFull(level, sent);
    await using _ = program;
    const evicted = await evictedSpans(program);

    const faults = await injectFault(program.pid, call, "signal=KILL");
    const statuses = await sendUntilGone(program, sent);
    await program.exited;
    await faults[Symbol.asyncDispose]();
    await using next = await startProgram(env);
    const found = await spanNumbersOf(next);

    expect(statuses.has(503)).toBe(false);
    // The kill may come after an eviction that was not counted: of one file.
    const ofOneFile = Math.ceil(found.length / 8);
    expectKept(found, sent, evicted + ofOneFile + (await evictedSpans(next)));
  },
);

async function sendUntilGone(program: RunningProgram, sent: Sent) {
  const statuses = new Set<number>();
  for (;;) {
    const status = await sendNext(program, sent, SPANS);
    if (status === undefined) return statuses;
    statuses.add(status);
  }
}

test.each(DELAYED)(
  "if $is takes long at level $level, requests wait and none is refused",
  async ({ call, level }) => {
    const sent: Sent = { next: 1, acknowledged: [] };
    const { env, program } = await startFull(level, sent);
    await using _ = program;

    const faults = await injectFault(program.pid, call, "delay_enter=20000");
    const statuses = new Set<number | undefined>();
    for (let request = 0; request < 30; request += 1) {
      statuses.add(await sendNext(program, sent, SPANS));
    }
    await faults[Symbol.asyncDispose]();
    const evicted = await evictedSpans(program);
    const exitCode = await program.stop();
    await using next = await startProgram(env);
    const found = await spanNumbersOf(next);

    expect([...statuses]).toEqual([200]);
    expect(exitCode).toBe(0);
    expectKept(found, sent, evicted + (await evictedSpans(next)));
  },
);

const MOUNTED = CAN_MOUNT ? ["a file system of 4 MiB"] : [];
if (!CAN_MOUNT) notRun(4, "mounting needs root, unshare and nsenter");

describe.each(MOUNTED)("on %s", () => {
  test("that others fill, requests are refused for the time, and nothing is lost", async () => {
    await using disk = await mountSmallDisk(join(root, "filled"), 4);
    const directory = join(disk.folder, "data");
    const env = { ...SMALL_LOG, DATA_DIR: directory };
    const sent: Sent = { next: 1, acknowledged: [] };
    await using program = await startProgram(env, disk);
    await sendNext(program, sent, SPANS);

    disk.run("dd", "if=/dev/zero", `of=${disk.folder}/other`, "bs=64K");
    await sendUntil(program, sent, "disk_failed");
    const failed = await program.logged("disk_failed");
    const refused = await sendNext(program, sent, SPANS);
    const readable = await spanNumbersOf(program);
    disk.run("rm", `${disk.folder}/other`);
    await sendUntil(program, sent, "disk_recovered");
    const accepted = await sendNext(program, sent, SPANS);
    await program.stop();
    await using next = await startProgram(env, disk);
    const found = await spanNumbersOf(next);

    expect(failed).toMatchObject({
      reason: expect.stringContaining("ENOSPC"),
      hint: "free space or replace the disk; until then, requests are refused",
    });
    expect([refused, accepted]).toEqual([503, 200]);
    expect(readable.length).toBeGreaterThan(0);
    expectKept(found, sent, 0);
  });

  test("smaller than MAX_DISK_BYTES, requests are refused, and nothing is lost", async () => {
    await using disk = await mountSmallDisk(join(root, "small"), 1);
    const env = { ...SMALL_LOG, MAX_DISK_BYTES: "1GiB", DATA_DIR: join(disk.folder, "data") };
    const sent: Sent = { next: 1, acknowledged: [] };
    await using program = await startProgram(env, disk);

    const statuses = await sendUntil(program, sent, "disk_failed");
    const refused = await sendNext(program, sent, SPANS);
    const readable = await spanNumbersOf(program);
    const exitCode = await program.stop();
    await using next = await startProgram(env, disk);
    const found = await spanNumbersOf(next);

    expect([...statuses]).toEqual([200, 503]);
    expect(refused).toBe(503);
    expectKept(readable, sent, 0);
    expect(exitCode).toBe(0);
    expect(found).toEqual(readable);
  });

  test("too small for a stop, what is reported as lost is what the next start lacks", async () => {
    await using disk = await mountSmallDisk(join(root, "stop"), 1);
    const level = { DURABILITY: "stop", MAX_BUFFER_SIZE: "100000" };
    const env = { ...level, DATA_DIR: join(disk.folder, "data") };
    const sent: Sent = { next: 1, acknowledged: [] };
    await using program = await startProgram(env, disk);
    for (let request = 0; request < 30; request += 1) await sendNext(program, sent, 1_000);

    const exitCode = await program.stop();
    const lost = program.log().find(({ event }) => event === "lost");
    const kept = program.log().find(({ event }) => event === "kept");
    disk.resize(4);
    await using next = await startProgram(env, disk);
    const found = await spanNumbersOf(next);

    const missing = missingIn(found, sent, 1_000);
    expect(exitCode).toBe(5);
    expect(missing.length).toBeGreaterThan(0);
    expect(found.length).toBeGreaterThan(0);
    expect([lost?.["spans"], kept?.["spans"]]).toEqual([missing.length, found.length]);
    expect(found.length + missing.length).toBe(30_000);
  });

  test("that is read only now, the program does not start, and says why", async () => {
    await using disk = await mountSmallDisk(join(root, "read-only"), 4);
    const env = { ...SMALL_LOG, DATA_DIR: join(disk.folder, "data") };
    const sent: Sent = { next: 1, acknowledged: [] };
    const program = await startProgram(env, disk);
    await sendNext(program, sent, SPANS);
    await program.stop();

    disk.run("mount", "-o", "remount,ro", disk.folder);
    const refused = await runProgram([], { ...FREE_PORTS, ...env }, disk);
    const listed = await runProgram(["log", env.DATA_DIR], {}, disk);
    disk.run("mount", "-o", "remount,rw", disk.folder);
    await using next = await startProgram(env, disk);
    const found = await spanNumbersOf(next);

    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("the file system is read-only");
    expect(listed.exitCode).toBe(0);
    expect(listed.stdout).toContain(String(SPANS));
    expectKept(found, sent, 0);
  });
});

/** Expects all acknowledged spans, except the oldest: as many as were evicted at most. */
function expectKept(found: readonly number[], sent: Sent, evicted: number): void {
  const missing = missingIn(found, sent, SPANS);
  const evictable = missing.filter((number) => number < found[0]!);
  expect(missing).toEqual(evictable);
  expect(missing.length).toBeLessThanOrEqual(evicted);
  expect(found).toEqual(found.toSorted((left, right) => left - right));
  expect(new Set(found).size).toBe(found.length);
}
