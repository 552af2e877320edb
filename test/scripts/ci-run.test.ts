import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const CI_RUN = join(import.meta.dir, "../../.ci/run");

/** Runs `.ci/run` over a fake of `scripts/test` with this output and exit code. */
function ciRun(output: string, exitCode: number): { exitCode: number; lines: string[] } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, ".ci"));
  mkdirSync(join(folder, "scripts"));
  cpSync(CI_RUN, join(folder, ".ci", "run"));
  const script = `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${exitCode}\n`;
  writeFileSync(join(folder, "scripts", "test"), script);
  chmodSync(join(folder, "scripts", "test"), 0o755);
  const done = Bun.spawnSync(["bash", join(folder, ".ci", "run")], { cwd: "/" });
  return { exitCode: done.exitCode, lines: done.stdout.toString().trimEnd().split("\n") };
}

test.each([
  {
    name: "all tests passed",
    output: "(pass) adds 2 pass\n\n 412 pass\n 0 fail\n 9 expect() calls",
    exitCode: 0,
    closing: "412 passed, 0 failed",
    ciExitCode: 0,
  },
  {
    name: "some tests failed",
    output: " 410 pass\n 2 fail",
    exitCode: 1,
    closing: "410 passed, 2 failed",
    ciExitCode: 1,
  },
  {
    name: "all tests passed, but another check failed",
    output: " 412 pass\n 0 fail\nspanring: failed: format",
    exitCode: 1,
    closing: "412 passed, 1 failed",
    ciExitCode: 1,
  },
  {
    name: "the script ended before any test",
    output: "spanring: cannot fetch",
    exitCode: 1,
    closing: "0 passed, 1 failed",
    ciExitCode: 1,
  },
  {
    name: "the script succeeded without a test",
    output: "",
    exitCode: 0,
    closing: "0 passed, 1 failed",
    ciExitCode: 1,
  },
])("when $name, the run ends with $closing", ({ output, exitCode, closing, ciExitCode }) => {
  const run = ciRun(output, exitCode);

  expect(run.lines.at(-1)).toBe(closing);
  expect(run.exitCode).toBe(ciExitCode);
});

test("the output of the tests is passed on", () => {
  const run = ciRun("first\nsecond\n 1 pass\n 0 fail", 0);

  expect(run.lines.slice(0, 2)).toEqual(["first", "second"]);
});
