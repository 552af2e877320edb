import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates a folder for the files of a case, which is removed when this process ends. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanring-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
