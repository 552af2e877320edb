import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { FileFormat } from "../../domain/text/file-format.ts";
import { syncFolder } from "../otlp-files/unfinished-file.ts";
import { Buffer } from "node:buffer";
import { LENGTH_BYTES } from "../otlp-files/message-frames.ts";

export interface RotatingFileParts {
  readonly path: string;
  readonly format: FileFormat;
  /** The maximum size of a file; a frame that is larger gets a file of its own. */
  readonly maxBytes: number;
  /** The maximum age of a file; 0 for no limit. */
  readonly maxAgeMs: number;
  /** The number of rotated files to keep; at least one. */
  readonly keep: number;
  /** When files are synced: never, at rotation, or before spans count as delivered. */
  readonly fsync: "never" | "rotate" | "always";
  /** Returns the current Unix time. */
  readonly nowMs: () => number;
}

/** Describes the file that is being written. */
interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly bornMs: number;
  /** Moved by `append`. */
  sizeBytes: number;
}

/** Only the owner may read, because spans may contain private data. */
const MODE = 0o600;

/**
 * A file of frames, each written as a whole or not at all. When the file is full or old, it is
 * renamed and a new one begins; of the renamed files, only the newest `keep` are kept.
 *
 *     spans.jsonl                             is being written
 *     spans-2026-01-02T03-04-05.678Z.jsonl    was rotated at that time
 */
export class RotatingFile {
  // Fixed at construction.
  private readonly parts: RotatingFileParts;

  // Moved by `append` and `close`.
  private file: OpenFile | undefined;

  constructor(parts: RotatingFileParts) {
    this.parts = parts;
  }

  /** Appends a frame, or rejects and leaves nothing of it. Must not be called concurrently. */
  async append(frame: Uint8Array): Promise<void> {
    const file = await this.ready(frame.length);
    await writeWhole(file, frame, this.parts.fsync === "always").catch(async (error: unknown) => {
      if (!(await isCutBack(file))) await this.abandon();
      throw error;
    });
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    if (file !== undefined) await finish(file, this.parts);
  }

  private async ready(frameBytes: number): Promise<OpenFile> {
    if (this.file !== undefined && !(await isStillThere(this.file, this.parts))) await this.close();
    this.file ??= await openWhole(this.parts);
    if (isDone(this.file, frameBytes, this.parts)) await this.rotate();
    this.file ??= await openWhole(this.parts);
    return this.file;
  }

  private async rotate(): Promise<void> {
    await this.close();
    await setAside(this.parts);
    await removeOldest(this.parts);
  }

  /** Closes the file without a sync. The next append opens it, and checks that it is whole. */
  private async abandon(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await Promise.allSettled([file?.handle.close()]);
  }
}

/** Reports whether the path still names this file: it, or its folder, may have been moved. */
async function isStillThere({ inode }: OpenFile, { path }: RotatingFileParts): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.ino === inode;
}

function isDone(file: OpenFile, frameBytes: number, parts: RotatingFileParts): boolean {
  const { sizeBytes, bornMs } = file;
  if (sizeBytes === 0) return false;
  const isOld = parts.maxAgeMs > 0 && parts.nowMs() - bornMs >= parts.maxAgeMs;
  return isOld || sizeBytes + frameBytes > parts.maxBytes;
}

async function writeWhole(file: OpenFile, frame: Uint8Array, isSynced: boolean): Promise<void> {
  let at = 0;
  while (at < frame.length) {
    // oxlint-disable-next-line no-await-in-loop -- the next piece follows this one
    at += (await file.handle.write(frame, at, frame.length - at)).bytesWritten;
  }
  if (isSynced) await file.handle.datasync();
  file.sizeBytes += frame.length;
}

async function isCutBack({ handle, sizeBytes }: OpenFile): Promise<boolean> {
  return await handle.truncate(sizeBytes).then(
    () => true,
    () => false,
  );
}

/** Opens the file to append. If a crash has truncated it, sets it aside and begins a new one. */
async function openWhole(parts: RotatingFileParts): Promise<OpenFile> {
  const file = await openFile(parts);
  const isWhole = await orClose(file.handle, isWholeFile(parts.path, parts.format));
  if (isWhole) return file;
  await file.handle.close();
  await setAside(parts);
  return await openFile(parts);
}

async function openFile(parts: RotatingFileParts): Promise<OpenFile> {
  await refuseSpecial(parts.path);
  const handle = await open(parts.path, "a", MODE);
  return await orClose(handle, openedFile(handle, parts));
}

/** Rejects a pipe, because opening it would wait for a reader. A folder fails clearly anyway. */
async function refuseSpecial(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const isSpecial = found !== undefined && !found.isFile() && !found.isDirectory();
  if (isSpecial) throw new Error("it is not a regular file");
}

/** Closes the file if the step fails, because each retry opens it again. */
async function orClose<Value>(handle: FileHandle, step: Promise<Value>): Promise<Value> {
  return await step.catch(async (error: unknown) => {
    await Promise.allSettled([handle.close()]);
    throw error;
  });
}

async function openedFile(handle: FileHandle, parts: RotatingFileParts): Promise<OpenFile> {
  const { path, fsync, nowMs } = parts;
  const { ino, size, birthtimeMs, mtimeMs } = await handle.stat();
  if (size === 0 && fsync !== "never") await syncFolder(path);
  // Not every file system records when a file was created.
  const bornMs = size === 0 ? nowMs() : birthtimeMs || mtimeMs;
  return { handle, inode: ino, bornMs, sizeBytes: size };
}

async function finish({ handle }: OpenFile, { fsync }: RotatingFileParts): Promise<void> {
  try {
    if (fsync === "rotate") await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Renames the file. Names sort by age: the new one is the last even if the clock was set back. */
async function setAside(parts: RotatingFileParts): Promise<void> {
  const newest = (await oldNames(parts)).at(-1);
  const afterMs = newest === undefined ? 0 : timeIn(newest, parts) + 1;
  await rename(parts.path, nameAt(parts.path, Math.max(parts.nowMs(), afterMs)));
}

/** Returns a name that sorts by its time, without colons, which some file systems do not allow. */
function nameAt(path: string, atMs: number): string {
  const time = new Date(atMs).toISOString().replaceAll(":", "-");
  const { folder, stem, ending } = partsOf(path);
  return join(folder, `${stem}-${time}${ending}`);
}

const TIME = /^-(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/;

function timeIn(name: string, { path }: RotatingFileParts): number {
  const { stem, ending } = partsOf(path);
  const text = name.slice(stem.length, name.length - ending.length);
  return Date.parse(text.replace(TIME, "$1:$2:$3"));
}

function partsOf(path: string) {
  const ending = extname(path);
  return { folder: dirname(path), stem: basename(path, ending), ending };
}

/** Returns the names of the files that were set aside, oldest first. */
async function oldNames(parts: RotatingFileParts): Promise<string[]> {
  const { folder, stem, ending } = partsOf(parts.path);
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(stem) && name.endsWith(ending),
  );
  return names.filter((name) => !Number.isNaN(timeIn(name, parts))).toSorted();
}

/** Removes surplus files. Ignores those that cannot be removed: to stop writing would lose more. */
async function removeOldest(parts: RotatingFileParts): Promise<void> {
  const { folder } = partsOf(parts.path);
  const surplus = (await oldNames(parts)).slice(0, -parts.keep);
  await Promise.allSettled(surplus.map((name) => rm(join(folder, name), { force: true })));
}

const LINE_END = 0x0a;

/** Reports whether a file ends with a whole frame; it does not if its writer was killed. */
export async function isWholeFile(path: string, format: FileFormat): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    return await (format === "json" ? endsWithLine(file, size) : endsWithMessage(file, size));
  } finally {
    await file.close();
  }
}

async function endsWithLine(file: FileHandle, sizeBytes: number): Promise<boolean> {
  if (sizeBytes === 0) return true;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, sizeBytes - 1);
  return last[0] === LINE_END;
}

/** Steps from length to length, without reading the messages between them. */
async function endsWithMessage(file: FileHandle, sizeBytes: number): Promise<boolean> {
  const length = Buffer.alloc(LENGTH_BYTES);
  let at = 0;
  while (at + LENGTH_BYTES <= sizeBytes) {
    // oxlint-disable-next-line no-await-in-loop -- each length determines where the next one is
    await file.read(length, 0, LENGTH_BYTES, at);
    at += LENGTH_BYTES + length.readUInt32BE();
  }
  return at === sizeBytes;
}
