import { afterAll } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new, empty folder, which goes away when the tests of the calling file are done. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spanring-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
