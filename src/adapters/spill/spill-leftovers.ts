import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { Logger } from "../../ports/logger.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

interface Leftover {
  readonly path: string;
  readonly bytes: number;
}

/** Keeps the log line readable, however many leftovers exist. */
const MAX_NAMED = 10;

/**
 * Logs the files next to a spill file that earlier stops left behind and that no start reads:
 * unfinished files of a stop that was killed, files of a stop whose name was already taken, and
 * files that were set aside. It does not touch them.
 */
export async function logLeftovers(spillPath: string, logger: Logger): Promise<void> {
  try {
    const leftovers = await leftoversOf(spillPath);
    if (leftovers.length > 0) logger.warning("spill_leftovers", fieldsOf(leftovers));
  } catch (error) {
    const folder = quotePeerText(dirname(spillPath));
    const reason = systemErrorText(error);
    logger.warning("cannot_list_spill_leftovers", { folder, reason });
  }
}

async function leftoversOf(spillPath: string): Promise<Leftover[]> {
  const [folder, name] = [dirname(spillPath), basename(spillPath)];
  const names = (await readdir(folder)).filter((each) => isLeftover(each, name)).toSorted();
  const found = await Promise.all(names.map((each) => leftoverAt(join(folder, each))));
  return found.flatMap((each) => each ?? []);
}

/** Matches `spill.binpb.1`, `spill.binpb.unread`, the same with `.1`, `.spill.binpb.5f3a9c01`. */
function isLeftover(name: string, spillName: string): boolean {
  const [hidden, numbered] = [`.${spillName}.`, `${spillName}.`];
  if (name.startsWith(hidden)) return /^[0-9a-f]{8}$/.test(name.slice(hidden.length));
  return name.startsWith(numbered) && /^(unread(\.\d+)?|\d+)$/.test(name.slice(numbered.length));
}

/** Returns undefined unless the path is an existing file. */
async function leftoverAt(path: string): Promise<Leftover | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true ? { path, bytes: found.size } : undefined;
}

function fieldsOf(leftovers: readonly Leftover[]) {
  const files = leftovers.slice(0, MAX_NAMED).map(({ path }) => quotePeerText(path));
  return {
    count: leftovers.length,
    bytes: leftovers.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
    hint: `spanring send ${files[0]} sends its readable spans; then remove it`,
  };
}
