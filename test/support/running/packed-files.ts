import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Architecture,
  type SystemPackage,
  systemPackage,
} from "../../../scripts/release/system-package.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const INTEL: Architecture = { deb: "amd64", rpm: "x86_64" };

/** Returns a package whose program is a few bytes, because only its format matters. */
export function smallPackage(architecture = INTEL): SystemPackage {
  const program = join(temporaryFolder(), "spanring");
  writeFileSync(program, "#!/bin/sh\nexit 7\n");
  return systemPackage(architecture, program);
}

interface ToolEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end; its output is in one form whatever the language of the machine. */
export function runTool(...argv: readonly string[]): ToolEnd {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { env });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}
