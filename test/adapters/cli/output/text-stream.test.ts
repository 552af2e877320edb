import { expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandFailure } from "../../../../src/adapters/cli/output/exit-code.ts";
import {
  collectedText,
  openMessageStream,
  openTextStream,
  releaseOutput,
} from "../../../../src/adapters/cli/output/text-stream.ts";
import { blockedInPipe, openUnreadPipe } from "../../../support/processes/full-pipe.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const folder = temporaryFolder();

/** Longer than any test. */
const NEVER_MS = 1_000_000;

test("a write is complete when the call returns", () => {
  const path = join(folder, "written");
  const fileDescriptor = openSync(path, "w");
  const stream = openTextStream(fileDescriptor);

  const couldWrite = stream.write("é".repeat(100_000));
  stream.write(new TextEncoder().encode("end"));
  const written = readFileSync(path, "utf8");

  closeSync(fileDescriptor);
  expect(written).toBe(`${"é".repeat(100_000)}end`);
  expect(couldWrite).toBe(true);
  expect(stream.isTerminal).toBe(false);
});

test("a failed write throws an error with an exit code", () => {
  const fileDescriptor = openSync(import.meta.path, "r");
  const stream = openTextStream(fileDescriptor);

  expect(() => stream.write("lost")).toThrow(
    expect.objectContaining({
      exitCode: 4,
      message: expect.stringMatching(/^cannot write to standard output: EBADF/),
    }),
  );
  closeSync(fileDescriptor);
});

test("a message that cannot be written is dropped", () => {
  const fileDescriptor = openSync(import.meta.path, "r");

  expect(openMessageStream(fileDescriptor).write("lost")).toBe(false);
  closeSync(fileDescriptor);
});

test("a reader that closes the pipe is not an error", async () => {
  const program = join(import.meta.dir, "../../../support/processes/print-into-broken-pipe.ts");
  // `:` exits at once, which closes the only reading end of standard output.
  const shell = 'exec 3>&1; { "$0" "$1" 2>&3; echo "$?" >&3; } | :';

  const child = Bun.spawn(["sh", "-c", shell, process.execPath, program]);

  expect(await new Response(child.stdout).text()).toBe("0\n");
});

test.each([1, 2])("a stream that is not a terminal has a default width: %d", (fileDescriptor) => {
  const { columns } = openTextStream(fileDescriptor);

  expect(columns).toBeGreaterThan(0);
});

test("a write to a full non-blocking pipe waits for space", async () => {
  const program = join(import.meta.dir, "../../../support/processes/print-into-full-pipe.ts");

  const child = Bun.spawn([process.execPath, program], { stdout: "pipe" });
  const text = await child.stdout.text();

  expect(text).toHaveLength(1024 * 1024);
  expect(await child.exited).toBe(0);
});

function makePipe(): string {
  const path = join(mkdtempSync(join(folder, "pipe-")), "pipe");
  Bun.spawnSync(["mkfifo", path]);
  return path;
}

test("a write aside leaves the loop free while a pipe is full, and ends at a signal", async () => {
  // Open for reading too, so that it exists; but nobody reads.
  const fileDescriptor = openSync(makePipe(), constants.O_RDWR | constants.O_NONBLOCK);
  const controller = new AbortController();

  const lines = "a line\n".repeat(1 << 18);
  const writing = openTextStream(fileDescriptor).writeAside(lines, controller.signal);
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();

  expect(await writing).toBe(false);
});

interface Blocked {
  /** The length of the lines. */
  readonly length: number;
  readonly graceMs: number;
  /** Whether the pipe is full from the beginning. */
  readonly isFull?: boolean;
}

/** Starts a program that prints lines until SIGTERM, and waits until it cannot go on. */
async function startBlocked({ length, graceMs, isFull = false }: Blocked) {
  const pipe = openUnreadPipe(join(mkdtempSync(join(folder, "pipe-")), "pipe"));
  if (isFull) pipe.fill();
  const program = join(import.meta.dir, "../../../support/processes/write-lines-aside.ts");
  const argv = [process.execPath, program, String(length), String(graceMs)];
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: pipe.writer, stderr: "inherit" });
  await blockedInPipe(child.pid);
  return { pipe, child };
}

test("a signal ends a write aside between two lines, although nobody reads", async () => {
  const { pipe, child } = await startBlocked({ length: 999, graceMs: NEVER_MS });

  child.kill("SIGTERM");
  const exitCode = await child.exited;
  const written = pipe.content();

  expect(exitCode).toBe(0);
  expect(written.length).toBeGreaterThan(4096);
  expect(written).toBe(`${"x".repeat(999)}\n`.repeat(written.length / 1_000));
});

test.each([
  { name: "has begun", isFull: false },
  { name: "may begin, because its first piece is blocked", isFull: true },
])(
  "a signal ends a write aside after a long line that $name, if it is read",
  async ({ isFull }) => {
    const { pipe, child } = await startBlocked({ length: 200_000, graceMs: NEVER_MS, isFull });

    child.kill("SIGTERM");
    let written = "";
    while (child.exitCode === null) {
      written += pipe.content();
      await new Promise((resolve) => setImmediate(resolve));
    }
    written += pipe.content();

    expect(child.exitCode).toBe(0);
    expect(written.replaceAll(/^-+\n/gm, "")).toBe(`${"x".repeat(200_000)}\n`);
  },
);

test("a signal ends a write aside in a long line that nobody reads after a while", async () => {
  const { child } = await startBlocked({ length: 200_000, graceMs: 1 });

  child.kill("SIGTERM");

  expect(await child.exited).toBe(0);
});

test("a write aside ends when the reader closes the pipe", async () => {
  const path = makePipe();
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fileDescriptor = openSync(path, constants.O_WRONLY);
  closeSync(reader);

  expect(await openTextStream(fileDescriptor).writeAside("text")).toBe(false);
});

test("a write aside writes everything, in order", async () => {
  const path = join(folder, "aside");
  const fileDescriptor = openSync(path, "w");
  const output = collectedText(openTextStream(fileDescriptor));

  output.write("one ");
  await output.writeAside("two");
  const results = [await output.flush(), await output.flush()];
  closeSync(fileDescriptor);

  expect([readFileSync(path, "utf8"), results]).toEqual(["one two", [true, true]]);
});

test("a write aside that fails is a failure for data, and dropped for messages", async () => {
  const fileDescriptor = openSync(import.meta.path, "r");

  const data = await codeOf(openTextStream(fileDescriptor).writeAside("lost"));
  const message = await openMessageStream(fileDescriptor).writeAside("lost");
  closeSync(fileDescriptor);

  expect([data, message]).toEqual([4, false]);
});

async function codeOf(writing: Promise<unknown>): Promise<number | undefined> {
  return await writing.then(
    () => undefined,
    ({ exitCode }: CommandFailure) => exitCode,
  );
}

test("an output that is released becomes the null device, with the same number", () => {
  const path = join(folder, "released");
  const fileDescriptor = openSync(path, "w");
  const stream = openTextStream(fileDescriptor);

  stream.write("before");
  releaseOutput(fileDescriptor);
  const couldWrite = stream.write("after");
  closeSync(fileDescriptor);

  expect(couldWrite).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("before");
});
