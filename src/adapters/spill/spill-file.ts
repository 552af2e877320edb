import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { SpanSpill, SpillFault, SpilledRequest } from "../../ports/span-sink.ts";
import { openSource } from "../otlp-files/byte-source.ts";
import { faultText } from "../otlp-files/file-request.ts";
import { lengthDelimitedRequests } from "../otlp-files/read-requests.ts";
import { frameRequest } from "../otlp-files/message-frames.ts";
import {
  abandon,
  openUnfinished,
  syncFolder,
  type UnfinishedFile,
} from "../otlp-files/unfinished-file.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

/** Only the owner may read, because spans may contain private data. */
const MODE = 0o600;

/** The maximum length of a frame. Spilled requests may be larger than receivers accept. */
const MAX_REQUEST_BYTES = 2 ** 32 - 1;

/**
 * A file of length-delimited protobuf, whatever its name ends in: the format that
 * `spanring get --out x.binpb` writes and `spanring send` reads. It is complete whenever it exists.
 *
 *     spill.binpb             is read by the next start
 *     spill.binpb.1           the same, from a stop whose name was already taken
 *     spill.binpb.unread      was set aside; the next one is spill.binpb.unread.1
 *     .spill.binpb.5f3a9c01   is being written; a leftover only if the program was killed
 */
export class SpillFile implements SpanSpill {
  // Fixed at construction.
  private readonly path: string;
  readonly shownPath: string;

  // Moved by `replace`: the file holds spans that were not restored, for the next start to read.
  private hasRest = false;

  constructor(path: string) {
    this.path = path;
    this.shownPath = quotePeerText(path);
  }

  async tryOut(): Promise<void> {
    await checkPlace(this.path);
    await abandon(await openUnfinished(this.path, MODE));
    await syncFolder(this.path);
  }

  read(): AsyncGenerator<SpilledRequest | SpillFault> {
    return readFaultily(this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  async setAside(): Promise<string> {
    const { path } = this;
    if (!(await stat(path)).isFile()) throw new Error("it is not a file");
    return quotePeerText(await renameToFree(path, `${path}.unread`));
  }

  async write(requests: Iterable<Uint8Array>): Promise<string> {
    const name = await writeFile(this.path, requests, renameToFree);
    return quotePeerText(this.hasRest ? await joinRest(name, this.path) : name);
  }

  async replace(requests: AsyncIterable<Uint8Array>): Promise<void> {
    await writeFile(this.path, requests, renameOver);
    this.hasRest = true;
  }
}

/**
 * Rejects if the path exists but is not a readable, regular file: the next start could not read the
 * spans that a stop saves next to it.
 */
async function checkPlace(path: string): Promise<void> {
  if (path.endsWith("/")) throw new Error("it names a folder");
  const found = await stat(path).catch(nothingThere);
  if (found === undefined) return;
  if (!found.isFile()) throw new Error("it is not a regular file");
  await (await open(path, "r")).close();
}

type Requests = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Renames a file to the wanted name or a similar one, and resolves to its new name. */
type Rename = (from: string, wanted: string) => Promise<string>;

/** Writes a whole file and names it. After an error, no file is left. */
async function writeFile(path: string, requests: Requests, giveName: Rename): Promise<string> {
  const file = await openUnfinished(path, MODE);
  try {
    await writeWhole(file, requests);
    const name = await giveName(file.path, path);
    await syncFolder(name);
    return name;
  } finally {
    await abandon(file);
  }
}

async function* readFaultily(path: string): AsyncGenerator<SpilledRequest | SpillFault> {
  try {
    const found = await stat(path).catch(nothingThere);
    if (found === undefined) return;
    if (found.isFile()) yield* readFile(path);
    else yield { fault: "it is not a file" };
  } catch (error) {
    yield { fault: systemErrorText(error) };
  }
}

function nothingThere(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function* readFile(path: string): AsyncGenerator<SpilledRequest | SpillFault, void> {
  const chunks = createReadStream(path);
  try {
    for await (const item of lengthDelimitedRequests(openSource(chunks), MAX_REQUEST_BYTES)) {
      if (!("fault" in item)) yield item;
      else return yield { fault: faultText(item) };
    }
  } finally {
    chunks.destroy();
  }
}

/** Writes and syncs the file before it is named, so that its name never stands for a part. */
async function writeWhole({ handle }: UnfinishedFile, requests: Requests): Promise<void> {
  for await (const request of requests) await handle.writeFile(frameRequest(request, "proto"));
  await handle.sync();
  await handle.close();
}

/** Joins both files, because the next start reads only one. Keeps both if that fails. */
async function joinRest(name: string, path: string): Promise<string> {
  if (name === path) return path;
  try {
    await writeFile(path, requestsOf([name, path]), renameOver);
  } catch {
    return name;
  }
  await rm(name, { force: true });
  return path;
}

async function* requestsOf(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for await (const item of readFile(path)) {
      if ("fault" in item) throw new Error(item.fault);
      yield item.bytes;
    }
  }
}

async function renameOver(path: string, wanted: string): Promise<string> {
  await rename(path, wanted);
  return wanted;
}

/** Renames to the wanted name, or to the first free one with a number after it. */
async function renameToFree(path: string, wanted: string): Promise<string> {
  let name = wanted;
  // oxlint-disable-next-line no-await-in-loop -- the next name is needed only if this one is taken
  for (let number = 1; !(await isClaimed(name)); number += 1) name = `${wanted}.${number}`;
  await rename(path, name).catch(async (error: unknown) => {
    await rm(name, { force: true });
    throw error;
  });
  return name;
}

/**
 * Claims a free name with an empty file, which the rename replaces. Resolves to false if the name
 * is taken. Not every file system supports links, or a rename that never replaces.
 */
async function isClaimed(name: string): Promise<boolean> {
  try {
    await (await open(name, "wx", MODE)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}
