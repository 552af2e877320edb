import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/**
 * A stream of bytes that is read in pieces of any length. It holds only the bytes requested and the
 * rest of their last chunk.
 *
 *   ...taken |  held chunks: [....][........][...]  | to come
 *            ^offsetBytes
 */
export interface ByteSource {
  readonly limits: ReadLimits;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly held: Uint8Array[];
  heldBytes: number;
  offsetBytes: number;
}

/** Limits what the reader of a file holds in memory. */
export interface ReadLimits {
  /** The maximum size of a request, before and after decompression. */
  readonly requestBytes: number;
  /** A longer JSON document is not parsed into objects, which take several times its size. */
  readonly parsedBytes: number;
  /** Called with the size of decompressed bytes before they are read. Throws to end the file. */
  readonly decompressed: (lengthBytes: number) => void;
}

/** The maximum size of a request in memory; receivers accept far less. */
export const MAX_REQUEST_BYTES = 256 * 1024 * 1024;

/** The limits for files that the user of a command has chosen. */
export const WIDE_LIMITS: ReadLimits = {
  requestBytes: MAX_REQUEST_BYTES,
  parsedBytes: Infinity,
  decompressed: () => {},
};

export function openSource(
  chunks: AsyncIterable<Uint8Array>,
  limits: ReadLimits = WIDE_LIMITS,
): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  return { limits, chunks: iterator, held: [], heldBytes: 0, offsetBytes: 0 };
}

/** Returns the next bytes without taking them; fewer than requested only at the end. */
export async function peekBytes(source: ByteSource, lengthBytes: number): Promise<Uint8Array> {
  while (source.heldBytes < lengthBytes) {
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    if (!(await holdChunk(source))) break;
  }
  return heldInOne(source).subarray(0, lengthBytes);
}

/** Takes the next bytes; fewer than requested only at the end. */
export async function takeBytes(source: ByteSource, lengthBytes: number): Promise<Uint8Array> {
  const bytes = await peekBytes(source, lengthBytes);
  dropBytes(source, bytes.length);
  return bytes;
}

/** Reads another chunk that is not empty; returns false at the end. */
export async function holdChunk(source: ByteSource): Promise<boolean> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    const { value, done } = await source.chunks.next();
    if (done === true) return false;
    if (value.length === 0) continue;
    source.held.push(value);
    source.heldBytes += value.length;
    return true;
  }
}

/** Drops held bytes. */
export function dropBytes(source: ByteSource, lengthBytes: number): void {
  const { held } = source;
  let left = lengthBytes;
  while (left > 0 && left >= held[0]!.length) left -= held.shift()!.length;
  if (left > 0) held[0] = held[0]!.subarray(left);
  source.heldBytes -= lengthBytes;
  source.offsetBytes += lengthBytes;
}

/** Puts back the bytes that were taken last. */
export function returnBytes(source: ByteSource, bytes: Uint8Array): void {
  source.held.unshift(bytes);
  source.heldBytes += bytes.length;
  source.offsetBytes -= bytes.length;
}

/** Takes all remaining bytes, chunk by chunk. */
export async function* restOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
  while (source.heldBytes > 0 || (await holdChunk(source))) {
    const [chunk] = source.held;
    dropBytes(source, chunk!.length);
    yield chunk!;
  }
}

/** Returns all held bytes in one piece. */
function heldInOne({ held }: ByteSource): Uint8Array {
  if (held.length > 1) held.splice(0, held.length, Buffer.concat(held));
  return held[0] ?? new Uint8Array(0);
}

export type FileCompression = "gzip" | "zstd";

/** Source: RFC 1952, section 2.3.1; RFC 8878, section 3.1.1. */
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** Returns the compression of the bytes; undefined if they are not compressed. */
export function compressionOf(head: Uint8Array): FileCompression | undefined {
  const names = Object.keys(MAGIC) as FileCompression[];
  return names.find((name) => MAGIC[name].every((byte, at) => head[at] === byte));
}

/**
 * Decompresses one or several concatenated files or messages, chunk by chunk. If the data is
 * truncated or damaged, it yields everything before that point, and throws.
 *
 * There are two implementations, because on Bun 1.4.5 node:zlib does not detect truncated zstd
 * (`test/quirks/bun.test.ts`), and web streams do not accept the trailing zero bytes of gzip.
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  compression: FileCompression,
): AsyncGenerator<Uint8Array> {
  try {
    if (compression === "gzip") yield* Readable.from(chunks).pipe(createGunzip());
    else yield* streamOf(chunks).pipeThrough(new DecompressionStream("zstd"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${compression} data is damaged or truncated: ${reason}`, { cause: error });
  }
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
    const { value, done } = await iterator.next();
    if (done === true) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream({ pull });
}

/** Decompresses one message; returns "too long" if it would exceed `maxBytes`. */
export async function decompressedMessage(
  message: Uint8Array,
  compression: FileCompression,
  maxBytes: number,
): Promise<Uint8Array | "too long"> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of decompressed(one(message), compression)) {
    lengthBytes += chunk.length;
    if (lengthBytes > maxBytes) return "too long";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* one(message: Uint8Array): AsyncGenerator<Uint8Array> {
  yield message;
}
