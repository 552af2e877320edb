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

test("a file under way has another name, beside its own, and the mode asked for", async () => {
  const path = inOwnFolder("a.binpb");

  const file = await openUnfinished(path, 0o600);
  await file.handle.writeFile("half");
  const names = readdirSync(join(path, ".."));
  await file.handle.close();

  expect(names).toEqual([expect.stringMatching(/^\.a\.binpb\.[0-9a-f]{8}$/)]);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
});

test("abandoned, it leaves nothing, also when it was closed before", async () => {
  const path = inOwnFolder("a.binpb");
  const [open, closed] = [await openUnfinished(path), await openUnfinished(path)];
  await closed.handle.close();

  await Promise.all([abandon(open), abandon(closed)]);

  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("the folder of a name is put on the disk, if it is there", async () => {
  const path = inOwnFolder("a.binpb");

  await syncFolder(path);

  await expect(syncFolder(join(path, "b"))).rejects.toThrow("ENOENT");
});
