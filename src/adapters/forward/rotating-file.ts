import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { FileFormat } from "../../domain/text/file-format.ts";
import { syncFolder } from "../otlp-files/unfinished-file.ts";
import { Buffer } from "node:buffer";
import { LENGTH_BYTES } from "../otlp-files/message-frames.ts";

export interface RotatingFileParts {
  readonly path: string;
  readonly format: FileFormat;
  /** A frame that is larger by itself gets a file of its own. */
  readonly maxBytes: number;
  /** 0 means no limit. */
  readonly maxAgeMs: number;
  /** Number of files that were set aside to keep; at least one. */
  readonly keep: number;
  /** When what was written must be on the disk: never, once a file is done, or before it counts. */
  readonly fsync: "never" | "rotate" | "always";
  /** Unix time. */
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

/** Only its owner may read it: spans are sensitive. */
const MODE = 0o600;

/**
 * A file of frames, each whole or not there. When it is full or old it is set aside under another
 * name, and a new one takes its place; beyond `keep` of those, the oldest are removed.
 *
 *     spans.jsonl                             is being written
 *     spans-2026-01-02T03-04-05.678Z.jsonl    set aside then
 */
export class RotatingFile {
  // Fixed at construction.
  private readonly parts: RotatingFileParts;

  // Moved by `append` and `close`.
  private file: OpenFile | undefined;

  constructor(parts: RotatingFileParts) {
    this.parts = parts;
  }

  /** Rejects when the frame cannot be written, and nothing of it is left. One at a time. */
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

  /** Closes the file; opening it again will examine it. */
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
    // oxlint-disable-next-line no-await-in-loop -- the rest comes after what is written
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

/** Opens the file to append. One that a crash has cut off is set aside, and a new one begun. */
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

/** Refuses a pipe, whose opening would wait for a reader. A folder fails clearly by itself. */
async function refuseSpecial(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const isSpecial = found !== undefined && !found.isFile() && !found.isDirectory();
  if (isSpecial) throw new Error("what is there is not a regular file");
}

/** Who opens a file closes it when nothing comes of it: each retry opens it again. */
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
  // Not every file system knows when a file was born.
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

/** Names sort by age, so a new name is later than all others even if the clock was set back. */
async function setAside(parts: RotatingFileParts): Promise<void> {
  const newest = (await oldNames(parts)).at(-1);
  const afterMs = newest === undefined ? 0 : timeIn(newest, parts) + 1;
  await rename(parts.path, nameAt(parts.path, Math.max(parts.nowMs(), afterMs)));
}

/** Names sort as their times do. A colon may not be in a name everywhere. */
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

/** Leaves files that cannot be removed: to stop writing would lose more. */
async function removeOldest(parts: RotatingFileParts): Promise<void> {
  const { folder } = partsOf(parts.path);
  const surplus = (await oldNames(parts)).slice(0, -parts.keep);
  await Promise.allSettled(surplus.map((name) => rm(join(folder, name), { force: true })));
}

const LINE_END = 0x0a;

/** Reports whether a file ends with a whole frame: its writer may have been killed. */
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

/** From length to length; what is between is not looked at. */
async function endsWithMessage(file: FileHandle, sizeBytes: number): Promise<boolean> {
  const length = Buffer.alloc(LENGTH_BYTES);
  let at = 0;
  while (at + LENGTH_BYTES <= sizeBytes) {
    // oxlint-disable-next-line no-await-in-loop -- where the next length is, this one says
    await file.read(length, 0, LENGTH_BYTES, at);
    at += LENGTH_BYTES + length.readUInt32BE();
  }
  return at === sizeBytes;
}
