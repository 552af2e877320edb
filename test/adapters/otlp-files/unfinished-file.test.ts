import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  abandon,
  openUnfinished,
  syncFolder,
} from "../../../src/adapters/otlp-files/unfinished-file.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();

function inOwnFolder(name: string): string {
  return join(mkdtempSync(join(folder, "unfinished-")), name);
}

test("an unfinished file has a temporary name in its folder, and the requested mode", async () => {
  const path = inOwnFolder("a.binpb");

  const file = await openUnfinished(path, 0o600);
  await file.handle.writeFile("half");
  const names = readdirSync(join(path, ".."));
  await file.handle.close();

  expect(names).toEqual([expect.stringMatching(/^\.a\.binpb\.[0-9a-f]{8}$/)]);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
});

test("an abandoned file is removed, whether it is open or closed", async () => {
  const path = inOwnFolder("a.binpb");
  const [open, closed] = [await openUnfinished(path), await openUnfinished(path)];
  await closed.handle.close();

  await Promise.all([abandon(open), abandon(closed)]);

  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("syncFolder() syncs the folder of a path, and fails if it is missing", async () => {
  const path = inOwnFolder("a.binpb");

  await syncFolder(path);

  await expect(syncFolder(join(path, "b"))).rejects.toThrow("ENOENT");
});
