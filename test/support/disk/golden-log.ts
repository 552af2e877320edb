import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

export const GOLDEN_LOG = join(import.meta.dir, "../golden/log-v1");

/** The files of the golden log, oldest first. */
export const GOLDEN_NAMES = [
  "spans-000000000002-fafa78d8.v1",
  "spans-000000000003-6fb85d12.v1",
] as const;

/** Copies the golden log, so that a test can change it. */
export function copiedLog(folder: string): string {
  const path = mkdtempSync(join(folder, "golden-"));
  cpSync(GOLDEN_LOG, path, { recursive: true });
  return path;
}
