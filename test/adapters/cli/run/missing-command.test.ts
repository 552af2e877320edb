import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../../../../src/adapters/cli/run/child-process.ts";
import { interpreterOf, missingPart } from "../../../../src/adapters/cli/run/missing-command.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const folder = temporaryFolder();

function executable(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

executable("on-the-path", "#!/no/such/shell -e\nexit 0\n");

test.each([
  {
    name: "an interpreter that is not there",
    command: executable("script", "#! /no/such/shell -e\nexit 0\n"),
    says: 'its interpreter "/no/such/shell" is not there',
  },
  {
    name: "lines that end as on Windows",
    command: executable("windows", "#!/bin/sh\r\nexit 0\r\n"),
    says: 'its interpreter "/bin/sh\\x0d" is not there',
  },
  {
    name: "a script that is found on PATH",
    command: "on-the-path",
    says: 'its interpreter "/no/such/shell" is not there',
  },
])("of $name it is told what is missing", async ({ command, says }) => {
  const signals = { on: () => {}, off: () => {} };
  const child = { command: [command], env: { PATH: folder }, signals, isInForeground: () => false };

  expect(await runChild(child)).toEqual({ exitCode: 126, reason: says, hasNotRun: true });
});

test.each([
  { name: "is no script", command: executable("program", "\u007fELF\u0002") },
  { name: "cannot be read", command: executable("unreadable", "x", 0o111) },
])("of what $name an interpreter or a loader is missing", ({ command }) => {
  expect(missingPart(command, {})).toContain("not the interpreter or loader");
});

test("what cannot be read names no interpreter", () => {
  expect(interpreterOf(join(folder, "nothing"))).toBeUndefined();
});

test.each([{ PATH: folder }, {}])("of what is not there no part is missing, with %p", (env) => {
  expect(missingPart("no-such-command", env)).toBeUndefined();
});
