import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file under way. Until it is whole it has another name, in the folder of its own. */
export interface UnfinishedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Rejects when there can be no file. */
export async function openUnfinished(path: string, mode = 0o666): Promise<UnfinishedFile> {
  const unfinished = unfinishedName(path);
  return { path: unfinished, handle: await open(unfinished, "wx", mode) };
}

/** Leaves nothing behind. */
export async function abandon({ path, handle }: UnfinishedFile): Promise<void> {
  await Promise.allSettled([handle.close()]);
  await rm(path, { force: true });
}

export function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
}

/** A new name is in the folder, and the folder may not be on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
