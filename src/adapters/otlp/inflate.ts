import { constants, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { Receipt } from "../../domain/receipt.ts";
import { areWholeZstdFrames } from "./zstd-frames.ts";

export type Compression = keyof typeof DECODERS;

export type NotInflated = Extract<Receipt, { outcome: "malformed" | "too_large" }>;

export type Inflated = ({ readonly outcome: "plain"; readonly bytes: Uint8Array } | NotInflated) & {
  /** What zlib has left behind beside `bytes`, for the collector. */
  readonly garbageBytes: number;
};

/** What zlib is given to write to at a time, at least. */
const MIN_CHUNK_BYTES = 64 * 1024;

/** At the end of a gzip member stands how long it was. Source: RFC 1952, section 2.3.1. */
const GZIP_LENGTH_BYTES = 4;

/** 8 MiB, the most that HTTP allows. A frame may ask for 128 MiB. Source: RFC 9659, section 3. */
const ZSTD_WINDOW_LOG = 23;

const DECODERS = { gzip: gunzipSync, deflate: inflateSync, zstd: unzstd };

/**
 * What was compressed, of at most `maxBytes`, in a buffer of its own. The limit holds while it is
 * being decompressed: what would be too much is never there. Not with `Bun.gunzipSync` and the
 * like, which know no limit.
 */
export function inflate(message: Uint8Array, compression: Compression, maxBytes: number): Inflated {
  const chunkSize = chunkBytes(message, compression, maxBytes);
  try {
    const bytes = DECODERS[compression](message, { maxOutputLength: maxBytes, chunkSize });
    return { outcome: "plain", bytes, garbageBytes: bytes.length < chunkSize ? 0 : bytes.length };
  } catch (error) {
    const fault = isTooLarge(error) ? tooLarge(maxBytes) : malformed(compression);
    return { ...fault, garbageBytes: Math.max(maxBytes, chunkSize) };
  }
}

/**
 * Room for the whole message where its length is known, so that it comes out in one buffer that can
 * be released; of several, zlib leaves all to the collector, and 4 KiB may become 4 MiB of them.
 */
function chunkBytes(message: Uint8Array, compression: Compression, maxBytes: number): number {
  const isTold = compression === "gzip" && message.length >= GZIP_LENGTH_BYTES;
  const told = isTold ? uint32At(message, message.length - GZIP_LENGTH_BYTES) : maxBytes;
  // One more than it takes: zlib asks for another buffer when one is full.
  return Math.max(MIN_CHUNK_BYTES, Math.min(told, maxBytes) + 1);
}

function uint32At({ buffer, byteOffset }: Uint8Array, at: number): number {
  return new DataView(buffer, byteOffset + at, 4).getUint32(0, true);
}

function unzstd(message: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) {
  if (!areWholeZstdFrames(message)) throw new Error("not whole frames of zstd");
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  return zstdDecompressSync(message, { ...options, params });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function tooLarge(maxBytes: number) {
  const message = `the message is longer than ${maxBytes} bytes when decompressed`;
  return { outcome: "too_large", message } as const;
}

function malformed(compression: Compression) {
  const message = `the message is not what ${compression} makes`;
  return { outcome: "malformed", problem: "broken_compression", message } as const;
}
