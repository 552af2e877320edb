import { Database } from "bun:sqlite";
import { chmodSync } from "node:fs";

/** Thrown if another process, or another part of this one, uses the directory. */
export class DirectoryInUseError extends Error {
  override name = "DirectoryInUseError";
}

export interface DirectoryLock {
  release(): void;
}

const FILE_MODE = 0o600;

/** References that keep a garbage collection from ending a lock. */
const lockedDatabases = new Set<Database>();

/**
 * Locks a directory until `release`, or until this process ends in any way: the kernel holds the
 * lock, so a crash leaves nothing behind that could block a start.
 *
 * Neither Node nor Bun offers `flock` or `fcntl`. SQLite, which is part of Bun, takes an `fcntl`
 * lock on its database file, and writes nothing to an empty one. A file with a process id does not
 * work: in a container, the program is process 1 again after each crash and seems alive. Nor does a
 * socket: an abstract one is invisible in another container with the same volume, and one with a
 * path stays behind. Calling `flock` through `bun:ffi` needs the name of each C library, and child
 * processes would inherit the lock.
 */
export function lockDirectory(path: string): DirectoryLock {
  const lock = lockFile(path, { create: true });
  // By name: closing another descriptor of the file would release the lock.
  chmodSync(path, FILE_MODE);
  return lock;
}

/**
 * Locks a directory that has a lock file, without changing it. If the file can only be read, the
 * lock is shared with others who only read, but an owner is noticed, and no owner can start.
 */
export function lockUnchanged(path: string): DirectoryLock {
  return lockFile(path, { create: false });
}

/** Stands for the lock of a directory that has no lock file. */
export const NO_LOCK: DirectoryLock = { release: () => {} };

function lockFile(path: string, { create }: { readonly create: boolean }): DirectoryLock {
  const database = new Database(path, { create, readwrite: true });
  try {
    database.run("PRAGMA journal_mode = MEMORY");
    database.run("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw isBusy(error) ? new DirectoryInUseError(`${path} is locked by another process`) : error;
  }
  lockedDatabases.add(database);
  return { release: () => release(database) };
}

function release(database: Database): void {
  lockedDatabases.delete(database);
  database.close();
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}
