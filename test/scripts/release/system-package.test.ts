import { expect, test } from "bun:test";
import { join } from "node:path";
import { maintainerScripts, SYSTEM_DESCRIPTION } from "../../../scripts/release/system-package.ts";
import { TARGETS } from "../../../scripts/release/targets.ts";
import { notRun } from "../../support/running/not-run.ts";
import { runTool, smallPackage } from "../../support/running/packed-files.ts";

const RUNTIME = join(import.meta.dir, "../../../node_modules/bun/bin/bun.exe");
const OBJDUMP = Bun.which("objdump");
const TOOLS = OBJDUMP === null ? [] : [OBJDUMP];

if (TOOLS.length === 0) notRun(1, "objdump is missing");

test.each(TOOLS)("%s finds that the runtime needs the C library that packages name", (objdump) => {
  const { stdout } = runTool(objdump, "-T", RUNTIME);
  const minors = [...stdout.matchAll(/\(GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));

  expect(`2.${Math.max(...minors)}`).toBe(SYSTEM_DESCRIPTION.glibc);
});

test("each kind of processor has one package, which needs no AVX2", () => {
  const systems = TARGETS.filter(({ system }) => system !== undefined);

  expect(systems.map(({ name, system }) => `${name} ${system!.deb}`)).toEqual([
    "linux-x64-baseline amd64",
    "linux-arm64 arm64",
  ]);
});

test.each(Object.entries(maintainerScripts()))("the script %s is valid", (_, script) => {
  expect(script).toStartWith("#!/bin/sh\n");
  expect(runTool("sh", "-n", "-c", script)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("a package has the unit, its user, its configuration and completions", () => {
  const paths = smallPackage().entries.map(({ path }) => path);

  expect(paths).toEqual(expect.arrayContaining(PATHS));
});

const PATHS = [
  "etc/spanring/spanring.env",
  "usr/bin/spanring",
  "usr/lib/systemd/system/spanring.service",
  "usr/lib/sysusers.d/spanring.conf",
  "usr/share/bash-completion/completions/spanring",
  "usr/share/doc/spanring/copyright",
];
