import { afterAll } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates an empty folder, which is removed after the tests of the calling file. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spanring-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
