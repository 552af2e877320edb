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
 * A file under way. Until it is whole it has another name. What is no regular file, such as a pipe,
 * is written to as it is, and cannot be replaced: it has the bytes as they come.
 */
export interface OutFile {
  write(bytes: Uint8Array | string): Promise<void>;
  /** Gives it its name, in one step. */
  finish(): Promise<void>;
  /** Leaves nothing behind, but what a pipe has already. */
  abandon(): Promise<void>;
}

/** Throws a failure when there can be no file. */
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
 * Throws the failure that writing a file there would end with, as far as can be known before. A
 * pipe is not opened: that would wait for its reader.
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
 * All of a file in one go. No signal is handled before a regular one is there: so none leaves an
 * unfinished file behind. A pipe may have to wait for its reader.
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

/** Where a file is to be. */
interface OutTarget {
  /** Behind all links that can be followed: they stay, and what they lead to is written. */
  readonly target: string;
  /** False for a pipe, a device and the like, which are there to be written to. */
  readonly isReplaced: boolean;
}

/** Throws what the system says of a path that leads nowhere. */
function resolveTarget(path: string): OutTarget {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { target: behindLinks(path), isReplaced: true };
  // Not resolved: a link to a pipe without a name, as in /dev/stdout, leads only the system there.
  if (!mayBeReplaced(found)) return { target: path, isReplaced: false };
  return { target: realpathSync(path), isReplaced: true };
}

/** A folder may not, and says so itself. */
function mayBeReplaced(found: Stats): boolean {
  return found.isFile() || found.isDirectory();
}

/** Of links to what is not there yet: what will be. There is no circle, or there was no answer. */
function behindLinks(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? behindLinks(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
