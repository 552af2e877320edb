import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LineWriter } from "../../../src/adapters/logging/line-writer.ts";
import { createLogger } from "../../../src/adapters/logging/pino-logger.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();

test("all lines are written, in the order they came in", async () => {
  const path = join(folder, "written");
  const fileDescriptor = openSync(path, "w");
  const writer = new LineWriter(fileDescriptor);
  const logger = createLogger("INFO", writer);

  for (let count = 0; count < 1000; count += 1) logger.info("evicting", { count });
  await writer.flush();
  const lines = readFileSync(path, "utf8").split("\n");

  closeSync(fileDescriptor);
  expect(lines).toHaveLength(1001);
  expect(lines.at(-2)).toEndWith('"event":"evicting","count":999}');
});

test("a descriptor that takes no bytes costs the lines, not the program", async () => {
  const path = join(folder, "read-only");
  writeFileSync(path, "");
  const fileDescriptor = openSync(path, "r");
  const writer = new LineWriter(fileDescriptor);

  writer.write("nobody takes this\n");
  await writer.flush();

  closeSync(fileDescriptor);
  expect(readFileSync(path, "utf8")).toBe("");
});

test("while nobody reads, a megabyte is kept, the rest is dropped, and nothing waits", async () => {
  const path = join(folder, "paused");
  Bun.spawnSync(["mkfifo", path]);
  // Open for reading as well: otherwise opening it would wait for a reader.
  const fileDescriptor = openSync(path, constants.O_RDWR);
  const writer = new LineWriter(fileDescriptor);
  const line = `${"x".repeat(1023)}\n`;

  for (let count = 0; count < 4096; count += 1) writer.write(line);
  const reader = Bun.spawn(["head", "-c", String(1024 * 1024), path]);
  const text = await new Response(reader.stdout).text();
  await writer.flush();

  closeSync(fileDescriptor);
  expect(text).toBe(line.repeat(1024));
});

test("a reader who has left does not stop the program", async () => {
  const program = join(import.meta.dir, "../../support/processes/log-into-broken-pipe.ts");
  // `:` leaves at once, and with it the only reader of standard error.
  const shell = 'exec 3>&1; { "$0" "$1" 2>&1 >&3; echo " $?" >&3; } | :';

  const child = Bun.spawn(["sh", "-c", shell, process.execPath, program]);

  expect(await new Response(child.stdout).text()).toBe("alive 0\n");
});
