import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLogger, standardErrorStream } from "../../../src/adapters/logging/pino-logger.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const folder = temporaryFolder();

test("lines are written when the call returns", () => {
  const path = join(folder, "written");
  const fileDescriptor = openSync(path, "w");
  const logger = createLogger("INFO", standardErrorStream(fileDescriptor));

  for (let count = 0; count < 1000; count += 1) logger.info("evicting", { count });
  const lines = readFileSync(path, "utf8").split("\n");

  closeSync(fileDescriptor);
  expect(lines).toHaveLength(1001);
  expect(lines.at(-2)).toEndWith('"event":"evicting","count":999}');
});

test("a descriptor that takes no bytes costs the lines, not the program", () => {
  const path = join(folder, "read-only");
  writeFileSync(path, "");
  const fileDescriptor = openSync(path, "r");
  const logger = createLogger("INFO", standardErrorStream(fileDescriptor));

  const logALot = (): void => {
    for (let count = 0; count < 20_000; count += 1) logger.info("evicting", { count });
  };

  expect(logALot).not.toThrow();
  closeSync(fileDescriptor);
});

test("a reader who has left does not stop the program", async () => {
  const program = join(import.meta.dir, "../../support/log-into-broken-pipe.ts");
  // `:` leaves at once, and with it the only reader of standard error.
  const shell = 'exec 3>&1; { "$0" "$1" 2>&1 >&3; echo " $?" >&3; } | :';

  const child = Bun.spawn(["sh", "-c", shell, process.execPath, program]);

  expect(await new Response(child.stdout).text()).toBe("alive 0\n");
});
