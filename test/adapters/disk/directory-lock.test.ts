import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";
import { DirectoryInUseError } from "../../../src/adapters/disk/directory-lock.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const HOLDER = join(import.meta.dir, "../../support/disk/hold-directory.ts");

const emptyFolder = (): string => mkdtempSync(join(folder, "lock-"));

/** Another process that holds the directory; resolves when it does. */
async function holderOf(path: string) {
  const holder = Bun.spawn([process.execPath, HOLDER, path], { stdout: "pipe" });
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  return { holder, said: new TextDecoder().decode(value) };
}

test("a directory that another process holds is refused", async () => {
  const path = emptyFolder();
  const { holder, said } = await holderOf(path);

  const opening = DirectoryDisk.open(path);

  await expect(opening).rejects.toThrow(DirectoryInUseError);
  expect(said).toBe("held\n");
  holder.kill("SIGKILL");
  await holder.exited;
});

test("a process that was killed leaves nothing that blocks the next one", async () => {
  const path = emptyFolder();
  const { holder } = await holderOf(path);
  holder.kill("SIGKILL");
  await holder.exited;

  const disk = await DirectoryDisk.open(path);

  expect(readdirSync(path)).toEqual(["lock"]);
  await disk.close();
});

test("a directory is refused to a second owner in this process, until it is closed", async () => {
  const path = emptyFolder();
  const first = await DirectoryDisk.open(path);

  await expect(DirectoryDisk.open(path)).rejects.toThrow("is locked by another process");
  // The refusal has not given up the lock.
  await expect(DirectoryDisk.open(path)).rejects.toThrow(DirectoryInUseError);
  await first.close();
  const second = await DirectoryDisk.open(path);

  expect(await second.list()).toEqual([]);
  await second.close();
});

test("a refusal here does not free the directory for another process", async () => {
  const path = emptyFolder();
  const disk = await DirectoryDisk.open(path);
  await expect(DirectoryDisk.open(path)).rejects.toThrow(DirectoryInUseError);

  const holder = Bun.spawn([process.execPath, HOLDER, path], { stderr: "pipe" });

  expect(await holder.exited).not.toBe(0);
  expect(await new Response(holder.stderr).text()).toContain("is locked by another process");
  await disk.close();
});
