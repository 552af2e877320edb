import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Rejects unless a log can be opened in this directory, or the directory can be created. Changes
 * nothing.
 */
export async function checkDirectory(path: string): Promise<void> {
  const existing = await existingParent(resolve(path));
  // A path below a file is neither a directory nor can it become one.
  if (!(await stat(existing)).isDirectory()) throw notDirectory();
  await access(existing, constants.W_OK | constants.X_OK);
}

/** Returns the path, or the nearest parent that exists. */
async function existingParent(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
  return exists || dirname(path) === path ? path : await existingParent(dirname(path));
}

function notDirectory(): Error {
  return Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
}
