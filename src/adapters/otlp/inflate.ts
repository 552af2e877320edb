import type { Transform } from "node:stream";
import {
  constants,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzipSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import { GrowingBytes } from "../memory/growing-bytes.ts";
import type { Receipt } from "../../domain/receipt.ts";

export type Compression = keyof typeof DECODERS;

export type InflateFailure = Extract<Receipt, { outcome: "malformed" | "too_large" }>;

export type InflateResult = (
  { readonly outcome: "plain"; readonly bytes: Uint8Array } | InflateFailure
) & {
  /** The memory that the decompression leaves to the collector. */
  readonly garbageBytes: number;
};

/** The smallest buffer that zlib writes to. */
const MIN_CHUNK_BYTES = 64 * 1024;

/** A gzip member ends with its uncompressed length. Source: RFC 1952, section 2.3.1. */
const GZIP_LENGTH_BYTES = 4;

/**
 * The maximum window, 8 MiB as HTTP allows; a frame may request 128 MiB. Source: RFC 9659,
 * section 3.
 */
const ZSTD_WINDOW_LOG = 23;

const DECODERS = { gzip: gunzipSync, deflate: inflateSync, zstd: unzstd };

const STREAMS = { gzip: createGunzip, deflate: createInflate, zstd: createZstdDecompress };

interface DecoderOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

/**
 * Returns the decompressed message, of at most `maxBytes`, in a buffer of its own. The limit
 * applies during decompression, so more never exists in memory; `Bun.gunzipSync` and its like have
 * no such limit. Nothing is decompressed if the message declares a larger size itself.
 */
export function inflate(
  message: Uint8Array,
  compression: Compression,
  maxBytes: number,
): InflateResult {
  if (declaresMore(message, compression, maxBytes)) return tooLargeUnread(maxBytes);
  const options = optionsFor(message, compression, maxBytes);
  try {
    return plainResult(DECODERS[compression](message, options), options);
  } catch (error) {
    return failure(error, compression, options);
  }
}

/**
 * Does the same on another thread, in 5 ms for each MiB, piece by piece, so that no more memory is
 * used than `grown` was called with. The message must not be freed before the result is known.
 */
export async function inflateAside(
  message: Uint8Array,
  compression: Compression,
  { maxBytes, grown }: { readonly maxBytes: number; readonly grown: (bytes: number) => void },
): Promise<InflateResult> {
  if (declaresMore(message, compression, maxBytes)) return tooLargeUnread(maxBytes);
  const plain = new GrowingBytes();
  try {
    if (compression === "zstd") wholeZstdFrames(message);
    const reservedBytes = plain.reserve(Math.min(declaredSize(message, compression), maxBytes));
    if (reservedBytes > 0) grown(reservedBytes);
    const stream = STREAMS[compression](withZstdWindow({ chunkSize: PIECE_BYTES }));
    for await (const piece of piecesOf(stream, message)) {
      if (plain.length + piece.length > maxBytes) return freed(plain, tooLarge(maxBytes));
      const grownBytes = plain.append(piece);
      releaseBytes(piece);
      if (grownBytes > 0) grown(grownBytes);
    }
    return { outcome: "plain", bytes: plain.bytes, garbageBytes: 0 };
  } catch {
    return freed(plain, malformed(compression));
  }
}

const PIECE_BYTES = 256 * 1024;

function piecesOf(stream: Transform, message: Uint8Array): AsyncIterable<Uint8Array> {
  feed(stream, message);
  return stream;
}

/**
 * Writes a copy of each piece of the message. The thread may still read when the result is known to
 * be too large, and what it reads cannot be freed until then.
 */
function feed(stream: Transform, message: Uint8Array, at = 0): void {
  if (at >= message.length) return void stream.end();
  const piece = message.slice(at, at + PIECE_BYTES);
  stream.write(piece, (error) => {
    releaseBytes(piece);
    if (!error) feed(stream, message, at + PIECE_BYTES);
  });
}

function freed(plain: GrowingBytes, fault: InflateFailure): InflateResult {
  plain.release();
  return { ...fault, garbageBytes: PIECE_BYTES };
}

/** What a message may decompress to in any case, and beyond that, for each of its bytes. */
const FREE_BYTES = 1024 * 1024;
const MAX_RATIO = 1_000;

/**
 * Returns the limit for a message of this length: telemetry compresses to a hundredth at best, and
 * 800 bytes of zstd decompress to 20 MiB of zeros. gzip reaches a ratio of 1,032.
 */
export function inflatedLimit(lengthBytes: number, maxBytes: number): number {
  return Math.min(maxBytes, Math.max(FREE_BYTES, lengthBytes * MAX_RATIO));
}

function optionsFor(
  message: Uint8Array,
  compression: Compression,
  maxOutputLength: number,
): DecoderOptions {
  return { maxOutputLength, chunkSize: chunkBytes(message, compression, maxOutputLength) };
}

/** The state of a decoder of gzip, which Bun 1.4.5 keeps until the collector finds it. */
export const DECODER_BYTES = 64 * 1024;

function plainResult(bytes: Uint8Array, { chunkSize }: DecoderOptions): InflateResult {
  const copiedBytes = bytes.length < chunkSize ? 0 : bytes.length;
  return { outcome: "plain", bytes, garbageBytes: DECODER_BYTES + copiedBytes };
}

function failure(
  error: unknown,
  compression: Compression,
  { maxOutputLength, chunkSize }: DecoderOptions,
): InflateResult {
  const fault = isTooLarge(error) ? tooLarge(maxOutputLength) : malformed(compression);
  return { ...fault, garbageBytes: DECODER_BYTES + Math.max(maxOutputLength, chunkSize) };
}

/**
 * Returns the size of zlib's buffer: the whole message if its length is known, so that the result
 * is one buffer that can be freed. Several buffers are left to the collector, and 4 KiB may inflate
 * to 4 MiB of them.
 */
function chunkBytes(message: Uint8Array, compression: Compression, maxBytes: number): number {
  const declared = compression === "gzip" ? declaredSize(message, compression) : maxBytes;
  // One more than needed: zlib requests another buffer when one is full.
  return Math.max(MIN_CHUNK_BYTES, Math.min(declared, maxBytes) + 1);
}

/** Returns the size that a message declares to have when it is decompressed; 0 if none. */
export function declaredSize(message: Uint8Array, compression: Compression): number {
  if (compression === "zstd") return declaredBytes(message);
  if (compression !== "gzip" || message.length < GZIP_LENGTH_BYTES) return 0;
  return uint32At(message, message.length - GZIP_LENGTH_BYTES);
}

function uint32At({ buffer, byteOffset }: Uint8Array, at: number): number {
  return new DataView(buffer, byteOffset + at, 4).getUint32(0, true);
}

function unzstd(message: Uint8Array, options: DecoderOptions): Uint8Array {
  return zstdDecompressSync(wholeZstdFrames(message), withZstdWindow(options));
}

/** Reports whether whole frames of zstd declare that the first one has more bytes. */
function declaresMore(message: Uint8Array, compression: Compression, maxBytes: number): boolean {
  const mayDeclare = compression === "zstd" && declaredBytes(message) > maxBytes;
  return mayDeclare && areWholeZstdFrames(message);
}

function tooLargeUnread(maxBytes: number): InflateResult {
  return { ...tooLarge(maxBytes), garbageBytes: 0 };
}

/** Throws for anything but complete frames. */
function wholeZstdFrames(message: Uint8Array): Uint8Array {
  if (areWholeZstdFrames(message)) return message;
  throw new Error("not whole frames of zstd");
}

function withZstdWindow<Options>(options: Options) {
  return { ...options, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function tooLarge(maxBytes: number) {
  const message = `the message is longer than ${maxBytes} bytes when decompressed`;
  return { outcome: "too_large", message } as const;
}

function malformed(compression: Compression) {
  const message = `the message is not valid ${compression} data`;
  return { outcome: "malformed", problem: "broken_compression", message } as const;
}

/**
 * Reports whether bytes are complete zstd frames and nothing else. Bun 1.4.5 decompresses a
 * truncated body without an error, as far as it goes (`test/quirks/bun.test.ts`).
 *
 *     frame   [28 b5 2f fd][descriptor, 1][window, id, size: 0 to 14][block]...[checksum, 0 or 4]
 *     block   [bit 0: last; bits 1-2: type; 21 bits: size][that many bytes, or 1 of type RLE]
 *     skip    [50 to 5f 2a 4d 18][length, 4][that many bytes]
 *
 * Source: RFC 8878, section 3.1.
 */
export function areWholeZstdFrames(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  do {
    at = frameEnd(view, at);
  } while (at !== CUT_SHORT && at < view.byteLength);
  return at === view.byteLength;
}

const CUT_SHORT = -1;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const RLE = 1;
const WIDTHS_OF_ID = [0, 1, 2, 4];
const WIDTHS_OF_SIZE = [0, 2, 4, 8];

/** Returns the end of the frame that starts at `at`. */
function frameEnd(view: DataView, at: number): number {
  if (at + 8 > view.byteLength) return CUT_SHORT;
  const magic = view.getUint32(at, true);
  if (magic >>> 4 === SKIPPABLE) return within(view, at + 8 + view.getUint32(at + 4, true));
  if (magic !== MAGIC) return CUT_SHORT;
  const descriptor = view.getUint8(at + 4);
  const blocksEnd = lastBlockEnd(view, at + 5 + headerWidth(descriptor));
  const hasChecksum = (descriptor & 0x04) !== 0;
  return blocksEnd === CUT_SHORT ? CUT_SHORT : within(view, blocksEnd + (hasChecksum ? 4 : 0));
}

/** Returns the width of the header. A single segment has no window, and always a size. */
function headerWidth(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const widthOfSize = WIDTHS_OF_SIZE[descriptor >>> 6] ?? 0;
  const widthOfId = WIDTHS_OF_ID[descriptor & 3] ?? 0;
  return widthOfId + (isSingleSegment ? Math.max(1, widthOfSize) : 1 + widthOfSize);
}

/** Returns the size that the first frame declares, which its header ends with, or 0. */
function declaredBytes({ buffer, byteOffset, byteLength }: Uint8Array): number {
  const view = new DataView(buffer, byteOffset, byteLength);
  if (byteLength < MAX_HEADER_END || view.getUint32(0, true) !== MAGIC) return 0;
  const descriptor = view.getUint8(4);
  const end = 5 + headerWidth(descriptor);
  if (descriptor >>> 6 === 2) return view.getUint32(end - 4, true);
  // Smaller sizes have fewer bytes.
  return descriptor >>> 6 === 3 ? Number(view.getBigUint64(end - 8, true)) : 0;
}

/** The end of the longest header: the window, the id, and the size. */
const MAX_HEADER_END = 5 + 1 + 4 + 8;

function lastBlockEnd(view: DataView, blocksAt: number): number {
  let at = blocksAt;
  for (let isLast = false; !isLast;) {
    if (at + 3 > view.byteLength) return CUT_SHORT;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    isLast = (header & 1) !== 0;
    at += 3 + (((header >>> 1) & 3) === RLE ? 1 : header >>> 3);
  }
  return at;
}

function within(view: DataView, at: number): number {
  return at <= view.byteLength ? at : CUT_SHORT;
}
