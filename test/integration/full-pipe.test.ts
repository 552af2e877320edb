import { expect, test } from "bun:test";
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { requestOf } from "../support/requests/request-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { COMMAND, type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a reader that stops reading, as in `spanring tail | less`, does not keep a command from
// ending.
// Method: a pipe that is full before the command starts, and that nobody reads.

const folder = temporaryFolder();

function fullPipe(name: string): number {
  const path = join(folder, name);
  Bun.spawnSync(["mkfifo", path]);
  // Open for reading too, so that it exists.
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const full = openSync(path, constants.O_WRONLY);
  fill(filler);
  return full;
}

function fill(fileDescriptor: number): void {
  const page = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fileDescriptor, page);
  } catch {
    // EAGAIN: it is full.
  }
}

/** Resolves when a tail is connected. */
async function tailed({ apiUrl }: RunningProgram): Promise<void> {
  for (;;) {
    const page = await (await fetch(`${apiUrl}/metrics`)).text();
    if (/^spanring_tails 1$/m.test(page)) return;
  }
}

/** Reports whether a thread waits in a pipe; false for one that has ended since it was listed. */
function isInPipe(wchan: string): boolean {
  try {
    return readFileSync(wchan, "latin1").includes("pipe_w");
  } catch {
    return false;
  }
}

/** Resolves when a thread of a process waits until its pipe has room. */
async function blocked(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  const isBlocked = () => readdirSync(tasks).some((task) => isInPipe(`${tasks}/${task}/wchan`));
  while (!isBlocked()) await new Promise((resolve) => setImmediate(resolve));
}

test.each(["SIGTERM", "SIGINT"] as const)("%s ends a tail into a full pipe", async (signal) => {
  await using program = await startProgram();
  const stdout = fullPipe(signal);
  const argv = [...COMMAND, "tail", "--url", program.apiUrl];
  const child = Bun.spawn(argv, { env: {}, stdin: "ignore", stdout, stderr: "inherit" });
  await tailed(program);
  await exportOverHttp(program.httpUrl, requestOf(3));
  await blocked(child.pid);

  child.kill(signal);
  const exitCode = await child.exited;
  closeSync(stdout);

  expect(exitCode).toBe(0);
});

test("SIGTERM ends a send that cannot print what it has sent", async () => {
  await using program = await startProgram();
  const file = join(folder, "spans.bin");
  writeFileSync(file, requestOf(3));
  const stdout = fullPipe("sent");
  const argv = [...COMMAND, "send", file, "--to", program.httpUrl];
  const child = Bun.spawn(argv, { env: {}, stdin: "ignore", stdout, stderr: "inherit" });
  await blocked(child.pid);

  child.kill("SIGTERM");
  const exitCode = await child.exited;
  closeSync(stdout);

  expect(exitCode).toBe(0);
});
