import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file that is being written, under a temporary name in the same folder. */
export interface UnfinishedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Creates the file. Rejects if that fails. */
export async function openUnfinished(path: string, mode = 0o666): Promise<UnfinishedFile> {
  const unfinished = unfinishedName(path);
  return { path: unfinished, handle: await open(unfinished, "wx", mode) };
}

/** Removes the file. */
export async function abandon({ path, handle }: UnfinishedFile): Promise<void> {
  await Promise.allSettled([handle.close()]);
  await rm(path, { force: true });
}

export function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
}

/** Syncs the folder of a file, without which a new name may not survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
