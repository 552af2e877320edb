import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";
import { DirectoryInUseError } from "../../../src/adapters/disk/directory-lock.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const HOLDER = join(import.meta.dir, "../../support/disk/hold-directory.ts");

const emptyFolder = (): string => mkdtempSync(join(folder, "lock-"));

/** Starts another process that locks the directory; resolves when it has. */
async function holderOf(path: string) {
  const holder = Bun.spawn([process.execPath, HOLDER, path], { stdout: "pipe" });
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  return { holder, output: new TextDecoder().decode(value) };
}

test("a directory that another process has locked is refused", async () => {
  const path = emptyFolder();
  const { holder, output } = await holderOf(path);

  const opening = DirectoryDisk.open(path);

  await expect(opening).rejects.toThrow(DirectoryInUseError);
  expect(output).toBe("held\n");
  holder.kill("SIGKILL");
  await holder.exited;
});

test("a killed process leaves no lock that blocks the next one", async () => {
  const path = emptyFolder();
  const { holder } = await holderOf(path);
  holder.kill("SIGKILL");
  await holder.exited;

  const disk = await DirectoryDisk.open(path);

  expect(readdirSync(path)).toEqual(["lock"]);
  await disk.close();
});

test("a directory is refused to a second owner in this process until it is closed", async () => {
  const path = emptyFolder();
  const first = await DirectoryDisk.open(path);

  await expect(DirectoryDisk.open(path)).rejects.toThrow("is locked by another process");
  // The refusal has not released the lock.
  await expect(DirectoryDisk.open(path)).rejects.toThrow(DirectoryInUseError);
  await first.close();
  const second = await DirectoryDisk.open(path);

  expect(await second.list()).toEqual([]);
  await second.close();
});

test("a refusal in the same process does not release the lock for another process", async () => {
  const path = emptyFolder();
  const disk = await DirectoryDisk.open(path);
  await expect(DirectoryDisk.open(path)).rejects.toThrow(DirectoryInUseError);

  const holder = Bun.spawn([process.execPath, HOLDER, path], { stderr: "pipe" });

  expect(await holder.exited).not.toBe(0);
  expect(await new Response(holder.stderr).text()).toContain("is locked by another process");
  await disk.close();
});

test("an unchanged directory with a lock file has no owner until it is closed", async () => {
  const path = emptyFolder();
  await (await DirectoryDisk.open(path)).close();
  const reader = await DirectoryDisk.openUnchanged(path);

  await expect(DirectoryDisk.open(path)).rejects.toThrow(DirectoryInUseError);
  await reader.close();
  const owner = await DirectoryDisk.open(path);

  await expect(DirectoryDisk.openUnchanged(path)).rejects.toThrow(DirectoryInUseError);
  await owner.close();
});

test("an owner in another process is noticed where the lock file cannot be written", async () => {
  const path = emptyFolder();
  const { holder } = await holderOf(path);
  chmodSync(join(path, "lock"), 0o444);

  await expect(DirectoryDisk.openUnchanged(path)).rejects.toThrow(DirectoryInUseError);
  holder.kill("SIGKILL");
  await holder.exited;
});
