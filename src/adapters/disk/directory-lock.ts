import { Database } from "bun:sqlite";
import { chmodSync } from "node:fs";

/** Another process, or another part of this one, uses the directory. */
export class DirectoryInUseError extends Error {
  override name = "DirectoryInUseError";
}

export interface DirectoryLock {
  release(): void;
}

const FILE_MODE = 0o600;

/** So that no collection of garbage ends a lock. */
const held = new Set<Database>();

/**
 * Locks a directory until `release`, or until this process ends, however it ends: the lock is the
 * kernel's, so a crash leaves nothing behind that could block a start.
 *
 * Neither Node nor Bun offers `flock` or `fcntl`. SQLite, which is part of Bun, takes an `fcntl`
 * lock on its database file, and on an empty one it writes nothing. A file with a process id in it
 * was no choice: in a container the program is process 1 again after each crash, and looks alive.
 * Nor was a socket: an abstract one is not seen in another container with the same volume, and one
 * with a path stays behind. Calling `flock` through `bun:ffi` needs the name of each C library, and
 * children that are started would inherit the lock.
 */
export function lockDirectory(path: string): DirectoryLock {
  const database = new Database(path, { create: true, readwrite: true });
  try {
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN EXCLUSIVE");
    // By name: to open the file here would give up the lock when it is closed.
    chmodSync(path, FILE_MODE);
  } catch (error) {
    database.close();
    throw isBusy(error) ? new DirectoryInUseError(`${path} is locked by another process`) : error;
  }
  held.add(database);
  return { release: () => release(database) };
}

function release(database: Database): void {
  held.delete(database);
  database.close();
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}
