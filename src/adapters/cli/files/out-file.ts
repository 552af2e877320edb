import {
  accessSync,
  constants,
  renameSync,
  rmSync,
  writeFileSync,
  lstatSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { type FileHandle, open, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { abandon, openUnfinished, unfinishedName } from "../../otlp-files/unfinished-file.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";

/**
 * A file that is being written. It has a temporary name until it is complete. Anything other than a
 * regular file, such as a pipe, is not replaced: it receives the bytes as they come.
 */
export interface OutFile {
  write(bytes: Uint8Array | string): Promise<void>;
  /** Gives the file its name, atomically. */
  finish(): Promise<void>;
  /** Removes the file; a pipe keeps what it has received. */
  abandon(): Promise<void>;
}

/** Opens a file. Throws a failure if it cannot be created. */
export async function openOutFile(path: string): Promise<OutFile> {
  const failed = (error: unknown): never => {
    throw writeFailure(path, error);
  };
  const { target, isReplaced } = targetOf(path);
  if (!isReplaced) return straightFile(await open(target, "w").catch(failed), failed);
  const file = await openUnfinished(target).catch(failed);
  return {
    ...straightFile(file.handle, failed),
    finish: async () => {
      await file.handle.close().catch(failed);
      await rename(file.path, target).catch(failed);
    },
    abandon: () => abandon(file),
  };
}

function straightFile(file: FileHandle, failed: (error: unknown) => never): OutFile {
  return {
    write: (bytes) => file.writeFile(bytes).catch(failed),
    finish: () => file.close().catch(failed),
    abandon: async () => void (await Promise.allSettled([file.close()])),
  };
}

/**
 * Throws the failure that writing the file would cause, as far as it can be known in advance. A
 * pipe is not opened, because that would wait for its reader.
 */
export function checkOutFile(path: string): void {
  const { target, isReplaced } = targetOf(path);
  try {
    if (!isReplaced) return accessSync(target, constants.W_OK);
    const unfinished = unfinishedName(target);
    writeFileSync(unfinished, "", { flag: "wx" });
    rmSync(unfinished);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/**
 * Writes a whole file. A regular file is written synchronously, so that no signal is handled in
 * between and leaves an unfinished file. A pipe may have to wait for its reader.
 */
export async function writeOutFile(path: string, text: string): Promise<void> {
  const { target, isReplaced } = targetOf(path);
  try {
    await (isReplaced ? replace(target, text) : writeFile(target, text));
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function replace(target: string, text: string): void {
  const unfinished = unfinishedName(target);
  try {
    writeFileSync(unfinished, text, { flag: "wx" });
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function targetOf(path: string): OutTarget {
  try {
    return resolveTarget(path);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function writeFailure(path: string, error: unknown): CommandFailure {
  return new CommandFailure(
    EXIT_CODE.cannotRun,
    `cannot write "${quotePeerText(path)}": ${systemErrorText(error)}`,
  );
}

/** The destination of a file. */
interface OutTarget {
  /** The path to write: with links resolved, unless it is written in place. */
  readonly target: string;
  /** False for a pipe, a device and the like, which are written to in place. */
  readonly isReplaced: boolean;
}

/** Resolves links. Throws the error of the system for a path that leads nowhere. */
function resolveTarget(path: string): OutTarget {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { target: behindLinks(path), isReplaced: true };
  // Not resolved: only the system can follow a link to an unnamed pipe, such as /dev/stdout.
  if (!mayBeReplaced(found)) return { target: path, isReplaced: false };
  return { target: realpathSync(path), isReplaced: true };
}

/** Reports whether a file is regular. A folder counts too, because writing to it fails clearly. */
function mayBeReplaced(found: Stats): boolean {
  return found.isFile() || found.isDirectory();
}

/** Follows links to a file that does not exist yet. The system has already ruled out cycles. */
function behindLinks(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? behindLinks(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
