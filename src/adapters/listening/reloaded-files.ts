import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Mistake } from "../../config/config.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";

/** The path of each configured file, by the variable that names it. */
export type FilePaths<Name extends string> = ReadonlyMap<Name, string>;

/** The bytes of each configured file, or the reason why it cannot be read. */
export type FileContents<Name extends string> = ReadonlyMap<Name, Buffer | UnreadableFile>;

export interface UnreadableFile {
  readonly reason: string;
}

export async function loadFiles<Name extends string>(
  paths: FilePaths<Name>,
): Promise<FileContents<Name>> {
  const named = [...paths];
  const contents = await Promise.all(named.map(([, path]) => contentOf(path)));
  return new Map(named.map(([name], at) => [name, contents[at]!]));
}

/** The reason of a pipe, a device and so on: a reading of it may never end. */
const NOT_REGULAR = "it is not a regular file";

/** Without `O_NONBLOCK`, opening a named pipe would wait until a program writes to it. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function contentOf(path: string): Promise<Buffer | UnreadableFile> {
  try {
    await using file = await open(path, READ_AT_ONCE);
    if (!(await file.stat()).isFile()) return { reason: NOT_REGULAR };
    return await file.readFile();
  } catch (error) {
    return { reason: systemErrorText(error) };
  }
}

/** Returns the variables of the files whose contents differ. */
export function changedFiles<Name extends string>(
  before: FileContents<Name>,
  after: FileContents<Name>,
): Name[] {
  return [...after.keys()].filter((name) => {
    const [one, other] = [before.get(name), after.get(name)];
    if (Buffer.isBuffer(one) && Buffer.isBuffer(other)) return !one.equals(other);
    return Buffer.isBuffer(one) || Buffer.isBuffer(other) || one?.reason !== other?.reason;
  });
}

/** Mistakes in files. None of them shows a secret. */
export interface FileMistakes {
  readonly mistakes: readonly Mistake[];
}

export interface ReloadedFilesParts<Name extends string, Parsed extends object> {
  readonly paths: FilePaths<Name>;
  readonly parse: (contents: FileContents<Name>) => Parsed | FileMistakes;
  /** Called with contents that differ from those in use. */
  readonly use: (parsed: Parsed, changed: readonly Name[]) => void;
  readonly logger: Logger;
}

/** The interval at which files are read again. */
export const CHECK_INTERVAL_MS = 5_000;

/**
 * The time since its last change after which a file is taken for complete. Half a token, or a chain
 * without its last certificates, looks valid, so reading it would find no mistake.
 */
export const SETTLED_MS = 1_000;

/**
 * Reads files again, and uses them if they changed and have no mistake. Otherwise the old contents
 * stay in use: a certificate and its key are rarely replaced at the same instant.
 *
 * It compares contents, not times: a file may be replaced by a rename, or behind a symbolic link.
 */
export class ReloadedFiles<Name extends string, Parsed extends object> {
  // Moved by `reload` and `close`.
  private readonly state: Readings<Name, Parsed>;
  private reloading: Promise<boolean> | undefined;

  /** The contents are those in use. */
  constructor(parts: ReloadedFilesParts<Name, Parsed>, contents: FileContents<Name>) {
    this.state = { parts, used: contents, read: contents };
  }

  /** Resolves to whether the files are in use as they are now. Concurrent calls share a reading. */
  reload(): Promise<boolean> {
    const ended = () => (this.reloading = undefined);
    return (this.reloading ??= useChangedFiles(this.state).finally(ended));
  }

  /**
   * Reads the files again at intervals, until the returned function is called. Those that are being
   * written are read a little later.
   */
  watch(clock: TimerClock): () => void {
    if (this.state.used.size === 0) return () => {};
    return watchSettled([...this.state.parts.paths.values()], clock, () => void this.reload());
  }

  /** Makes a reading in progress, and later ones, change nothing. */
  close(): void {
    this.state.isClosed = true;
  }
}

/**
 * Calls `reload` at each interval, as soon as no file has changed for `SETTLED_MS`; before the next
 * interval anyway, because one file that is written all the time, or that has a time in the future,
 * would keep the old contents of all of them in use.
 */
function watchSettled(paths: readonly string[], clock: TimerClock, reload: () => void): () => void {
  let isOver = false;
  let cancel: (() => void) | undefined;
  const check = async (patienceMs: number): Promise<void> => {
    const areSettled = (await Promise.all(paths.map(isSettled))).every(Boolean);
    if (isOver) return;
    if (areSettled || patienceMs < SETTLED_MS) return reload();
    cancel?.();
    cancel = clock.schedule(SETTLED_MS, () => void check(patienceMs - SETTLED_MS));
  };
  const end = clock.repeat(CHECK_INTERVAL_MS, () => void check(CHECK_INTERVAL_MS - SETTLED_MS));
  return () => {
    isOver = true;
    end();
    cancel?.();
  };
}

async function isSettled(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs >= SETTLED_MS;
  } catch {
    return true;
  }
}

interface Readings<Name extends string, Parsed extends object> {
  readonly parts: ReloadedFilesParts<Name, Parsed>;
  used: FileContents<Name>;
  /** The contents read last: a mistake in them is logged once. */
  read: FileContents<Name>;
  isClosed?: true;
}

async function useChangedFiles<Name extends string, Parsed extends object>(
  state: Readings<Name, Parsed>,
): Promise<boolean> {
  const { paths, parse, use, logger } = state.parts;
  const contents = await loadFiles(paths);
  if (changedFiles(state.read, contents).length === 0 || state.isClosed === true) {
    return changedFiles(state.used, contents).length === 0;
  }
  state.read = contents;
  const parsed = parse(contents);
  if ("mistakes" in parsed) {
    for (const mistake of parsed.mistakes) logger.warning("cannot_reload", { ...mistake });
    return false;
  }
  const changed = changedFiles(state.used, contents);
  if (changed.length > 0) use(parsed, changed);
  state.used = contents;
  return true;
}
