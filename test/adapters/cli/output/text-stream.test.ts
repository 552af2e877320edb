import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  openMessageStream,
  openTextStream,
  releaseOutput,
} from "../../../../src/adapters/cli/output/text-stream.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const folder = temporaryFolder();

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
