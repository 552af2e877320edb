import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./running-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Writes a file that only its owner can read; returns its path. */
export function secretFile(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}

/** Returns a new token and its line in a file, as `spanring token` prints them. */
export async function createdToken(): Promise<{ readonly token: string; readonly line: string }> {
  const { stdout } = await runProgram(["token"]);
  const [token = "", line = ""] = stdout.split("\n");
  return { token, line };
}
