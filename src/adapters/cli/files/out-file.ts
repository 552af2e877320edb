import { randomBytes } from "node:crypto";
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
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
  const failed = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(
      EXIT_CODE.cannotRun,
      `cannot write "${quotePeerText(path)}": ${quotePeerText(reason)}`,
    );
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
