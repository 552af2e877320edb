import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

export type FileCompression = "gzip" | "zstd";

/** Source: RFC 1952, section 2.3.1; RFC 8878, section 3.1.1. */
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** Returns what the bytes are compressed with, or undefined where they are not. */
export function compressionOf(head: Uint8Array): FileCompression | undefined {
  const names = Object.keys(MAGIC) as FileCompression[];
  return names.find((name) => MAGIC[name].every((byte, at) => head[at] === byte));
}

/**
 * What a file or a message was before it was compressed, chunk by chunk; several that were joined
 * are one. Throws where they are cut off or broken, after what could be read.
 *
 * Two ways, for on Bun 1.4.5 node:zlib does not notice that zstd is cut off, and a web stream does
 * not step over the zero bytes that gzip may end with.
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
    throw new Error(`the ${compression} data is broken or cut off: ${reason}`, { cause: error });
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

/** The same of one message; "too long" where it would have more bytes than may be. */
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
