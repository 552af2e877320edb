import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder for what a case makes; it goes away with this process. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanring-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
