import { expect, test } from "bun:test";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { StopWatchdog } from "../../../src/adapters/signals/stop-watchdog.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

// Goal: a stop ends the process although the loop is blocked, and only then.
// Method: a process of its own, whose loop is really blocked.

const PROGRAM = join(import.meta.dir, "../../support/processes/stop-that-blocks.ts");
const STOP = { graceMs: 3_600_000, line: { event: "stop_overdue" }, exitCode: 5 };

async function ended(how: string) {
  const child = Bun.spawn([process.execPath, PROGRAM, how], { stderr: "pipe" });
  const [exitCode, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  return { exitCode, signal: child.signalCode, stderr };
}

test.each(["is blocked at once", "is blocked after a second signal"])(
  "a stop that %s ends with a line and the exit code",
  async (how) => {
    const { exitCode, stderr } = await ended(how);

    const line = JSON.parse(stderr) as unknown;
    expect(exitCode).toBe(5);
    expect(line).toMatchObject({ level: "ERROR", event: "stop_overdue" });
  },
);

test("a stop that is blocked by a full pipe ends without the line", async () => {
  const path = join(temporaryFolder(), "pipe");
  Bun.spawnSync(["mkfifo", path]);
  // Open for reading too, so that it exists; but nobody reads.
  const pipe = openSync(path, constants.O_RDWR);

  const child = Bun.spawn([process.execPath, PROGRAM, "writes to a full pipe"], { stderr: pipe });
  const exitCode = await child.exited;
  closeSync(pipe);

  expect(exitCode).toBe(5);
});

test("without a C library, the process is killed", async () => {
  expect(await ended("has no C library")).toMatchObject({ signal: "SIGKILL" });
});

test("a stop that is slow, but whose loop turns, is left alone", async () => {
  expect(await ended("takes its time")).toEqual({ exitCode: 0, signal: null, stderr: "" });
});

// A loop that runs takes its turn within the waits that follow the interrupted one.
test("a process that SIGSTOP stops again and again is left alone", async () => {
  expect(await ended("is stopped by SIGSTOP")).toEqual({ exitCode: 0, signal: null, stderr: "" });
});

test.each([
  { name: "within its grace period", hurry: false },
  { name: "after a second signal", hurry: true },
])("a stop that ends in time, $name, ends the thread and the timer", async ({ hurry }) => {
  let turns = 0;
  let cancelled = 0;
  const repeat = (_periodMs: number, turn: () => void) => {
    turn();
    turns += 1;
    return () => void (cancelled += 1);
  };
  const watchdog = new StopWatchdog({ repeat });
  const thread = watchdog.begin(STOP)!;
  const closed = once(thread, "close");

  if (hurry) watchdog.hurry();
  const hadEnded = watchdog.hasEnded;
  watchdog.end();

  await closed;
  expect([turns, cancelled]).toEqual([1, 1]);
  expect([hadEnded, watchdog.hasEnded]).toEqual([false, true]);
});

test("a system without another thread stops as usual", () => {
  const watchdog = new StopWatchdog(SYSTEM_CLOCK, {
    startThread: () => {
      throw new Error("EAGAIN");
    },
  });

  expect(watchdog.begin(STOP)).toBeUndefined();
  watchdog.end();
});
