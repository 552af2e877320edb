import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { quotePeerText } from "../../../domain/quote-text.ts";
import { CommandFailure } from "../command-failure.ts";
import { EXIT_CODE } from "../exit-code.ts";

/** A file under way. Until it is whole it has another name. */
export interface OutFile {
  write(bytes: Uint8Array | string): Promise<void>;
  /** Gives it its name, in one step. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** Throws a failure when there can be no file. */
export async function openOutFile(path: string): Promise<OutFile> {
  const unfinished = unfinishedName(path);
  const failed = (error: unknown): never => {
    throw writeFailure(path, error);
  };
  const file = await open(unfinished, "wx").catch(failed);
  const remove = () => rm(unfinished, { force: true });
  return {
    write: (bytes) => file.writeFile(bytes).catch(failed),
    finish: async () => {
      await file.close().catch(failed);
      await rename(unfinished, path).catch(failed);
    },
    abandon: async () => {
      await Promise.allSettled([file.close()]);
      await remove();
    },
  };
}

/** Throws the failure that writing a file there would end with, as far as can be known before. */
export function checkOutFile(path: string): void {
  const unfinished = unfinishedName(path);
  try {
    writeFileSync(unfinished, "", { flag: "wx" });
    rmSync(unfinished);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/**
 * All of a file in one go. No signal is handled before it returns: so none leaves an unfinished
 * file behind.
 */
export function writeOutFile(path: string, text: string): void {
  const unfinished = unfinishedName(path);
  try {
    writeFileSync(unfinished, text, { flag: "wx" });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw writeFailure(path, error);
  }
}

function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
}

function writeFailure(path: string, error: unknown): CommandFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandFailure(
    EXIT_CODE.cannotRun,
    `cannot write "${quotePeerText(path)}": ${quotePeerText(reason)}`,
  );
}
