import type { IncomingHttpHeaders } from "node:http2";
import type { Metadata } from "@grpc/grpc-js";
import { assert } from "../../domain/assert.ts";
import { type Compression, inflate, type InflateResult } from "../otlp/inflate.ts";
import type { FrameObjection } from "../otlp/status-table.ts";

/** The supported values of `grpc-encoding`, for `grpc-accept-encoding`. */
export const ENCODINGS_TAKEN = "identity,gzip,deflate,zstd";

/** A message in the form that grpc-js passes on, and the metadata of its call. */
export interface EncodedMessage {
  readonly request: Buffer;
  readonly metadata: Metadata;
}

export type PlainMessage = InflateResult | (FrameObjection & { readonly garbageBytes: 0 });

/** Carries the encoding past grpc-js. */
const OWN_HEADER = "spanring-message-encoding";

const COMPRESSIONS: ReadonlySet<string> = new Set<Compression>(["gzip", "deflate", "zstd"]);

/**
 * Keeps grpc-js from decompressing. It would inflate the messages of all streams at the same time,
 * each up to the size limit, so 100 streams with 4 KiB each would take 400 MiB. We decompress when
 * a message is handled, one at a time, for a fifth less processor time, and zstd as well, which
 * grpc-js does not support (`test/quirks/grpc-js.test.ts`).
 */
export function takeEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers["grpc-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  headers[OWN_HEADER] = encoding;
  delete headers["grpc-encoding"];
}

/**
 * Returns the decompressed message, of at most `maxBytes`, or the reason why it has none. Each
 * message has a flag that says whether it is compressed; its call says how.
 *
 * Source: grpc/grpc, doc/PROTOCOL-HTTP2.md and doc/compression.md.
 */
export function plainMessage(call: EncodedMessage, maxBytes: number): PlainMessage {
  const flag = compressedFlag(call.request);
  if (flag === 0) return { outcome: "plain", bytes: call.request, garbageBytes: 0 };
  if (flag !== 1)
    return malformedFrame(`the compressed flag of the message is ${flag}, not 0 or 1`);
  const [encoding] = call.metadata.get(OWN_HEADER);
  if (encoding === undefined) {
    return malformedFrame("the message is compressed, but grpc-encoding does not say how");
  }
  return isCompression(encoding) ? inflate(call.request, encoding, maxBytes) : UNSUPPORTED;
}

/**
 * Reads the flag in front of the message: grpc-js 1.14.7 passes on a view of the bytes after the
 * prefix, and does not pass on the flag. A view of the whole buffer is the cheapest way to that
 * byte (50 ns; 80 ns for a view of one byte).
 *
 *   [ compressed flag ][ length, 4 bytes ][ message
 *                                          ^byteOffset
 */
function compressedFlag({ buffer, byteOffset }: Buffer): number {
  assert(byteOffset >= PREFIX_BYTES, "grpc-js passes on a message after its prefix");
  return new Uint8Array(buffer)[byteOffset - PREFIX_BYTES]!;
}

/** Reports whether a message has to be decompressed first. */
export function isCompressed({ request }: Pick<EncodedMessage, "request">): boolean {
  return compressedFlag(request) === 1;
}

function isCompression(encoding: string | Buffer): encoding is Compression {
  return typeof encoding === "string" && COMPRESSIONS.has(encoding);
}

function malformedFrame(message: string) {
  return { outcome: "malformed_frame", message, garbageBytes: 0 } as const;
}

const UNSUPPORTED = {
  outcome: "unsupported_encoding",
  message: `grpc-encoding must be one of ${ENCODINGS_TAKEN.replaceAll(",", ", ")}`,
  garbageBytes: 0,
} as const;

/**
 * Does the same as `plainMessage` for methods whose messages are short. The length is checked
 * before decompression as well, because the header of a gzip member may have any length.
 */
export function smallMessage(call: EncodedMessage, maxBytes: number): PlainMessage {
  const message = `the message is longer than ${maxBytes} bytes`;
  const isLong = call.request.length > maxBytes;
  const plain = isLong ? undefined : plainMessage(call, maxBytes);
  if (plain !== undefined && plain.outcome !== "too_large") return plain;
  return { outcome: "malformed", message, garbageBytes: plain?.garbageBytes ?? 0 };
}

/**
 * The prefix of a gRPC message:
 *
 *   0            1        5
 *   [ compressed ][ length ][ message, `length` bytes
 *
 * The length is big endian. Source: grpc/grpc, doc/PROTOCOL-HTTP2.md.
 */
export const PREFIX_BYTES = 5;

/** The prefix of the first message of a stream, as far as it has arrived. */
export interface MessagePrefix {
  seenBytes: number;
  lengthBytes: number;
}

export function emptyPrefix(): MessagePrefix {
  return { seenBytes: 0, lengthBytes: 0 };
}

/**
 * Returns true once: when `piece` brings the last byte of the prefix. Peers may split a message
 * between any two bytes.
 */
export function readPrefix(prefix: MessagePrefix, piece: Uint8Array): boolean {
  if (prefix.seenBytes === PREFIX_BYTES) return false;
  for (let at = 0; at < piece.length && prefix.seenBytes < PREFIX_BYTES; at += 1) {
    if (prefix.seenBytes > 0) prefix.lengthBytes = prefix.lengthBytes * 256 + piece[at]!;
    prefix.seenBytes += 1;
  }
  return prefix.seenBytes === PREFIX_BYTES;
}
