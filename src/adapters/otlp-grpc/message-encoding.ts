import type { IncomingHttpHeaders } from "node:http2";
import type { Metadata } from "@grpc/grpc-js";
import { assert } from "../../domain/assert.ts";
import { type Compression, inflate, type Inflated } from "../otlp/inflate.ts";
import type { FrameObjection } from "../otlp/status-table.ts";

/** What `grpc-encoding` may be, for `grpc-accept-encoding`. */
export const ENCODINGS_TAKEN = "identity,gzip,deflate,zstd";

/** A message as grpc-js hands it out, and the metadata of its call. */
export interface EncodedMessage {
  readonly request: Buffer;
  readonly metadata: Metadata;
}

export type PlainMessage = Inflated | (FrameObjection & { readonly garbageBytes: 0 });

/** Where the encoding travels past grpc-js. */
const OWN_HEADER = "spanring-message-encoding";

const COMPRESSIONS: ReadonlySet<string> = new Set<Compression>(["gzip", "deflate", "zstd"]);

/**
 * Keeps grpc-js from decompressing: it would inflate every message of every stream at the same
 * time, each up to the size limit, so that 100 streams with 4 KiB each make 400 MiB. We do it when
 * a message is handled, one at a time, for a fifth less processor time, and zstd too, which grpc-js
 * does not know.
 */
export function takeEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers["grpc-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  headers[OWN_HEADER] = encoding;
  delete headers["grpc-encoding"];
}

/**
 * Returns the message without its compression, of at most `maxBytes`, or why there is none. Each
 * message says whether it is compressed, and its call says how.
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
    return malformedFrame("the message is compressed, and grpc-encoding does not say how");
  }
  return isCompression(encoding) ? inflate(call.request, encoding, maxBytes) : UNSUPPORTED;
}

/**
 * grpc-js 1.14.7 hands out a message as a view of its bytes behind their prefix, and keeps to
 * itself what the prefix says. So this looks there:
 *
 *   [ compressed flag ][ length, 4 bytes ][ message
 *                                          ^byteOffset
 */
function compressedFlag({ buffer, byteOffset }: Buffer): number {
  assert(byteOffset >= PREFIX_BYTES, "grpc-js hands out a message behind its prefix");
  return new Uint8Array(buffer, byteOffset - PREFIX_BYTES, 1)[0]!;
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
 * The same where only a few bytes are expected. Counted on the wire already: a header of gzip may
 * be as long as its maker likes.
 */
export function smallMessage(call: EncodedMessage, maxBytes: number): PlainMessage {
  const message = `the message is longer than ${maxBytes} bytes`;
  const isLong = call.request.length > maxBytes;
  const plain = isLong ? undefined : plainMessage(call, maxBytes);
  if (plain !== undefined && plain.outcome !== "too_large") return plain;
  return { outcome: "malformed", message, garbageBytes: plain?.garbageBytes ?? 0 };
}

/**
 * What stands before a gRPC message:
 *
 *   0            1        5
 *   [ compressed ][ length ][ message, `length` bytes
 *
 * The length is big endian. Source: grpc/grpc, doc/PROTOCOL-HTTP2.md.
 */
export const PREFIX_BYTES = 5;

/** Of the first message of a stream, as far as it has come. */
export interface MessagePrefix {
  seenBytes: number;
  lengthBytes: number;
}

export function emptyPrefix(): MessagePrefix {
  return { seenBytes: 0, lengthBytes: 0 };
}

/**
 * True once: when `piece` brings the last byte of the prefix. Peers cut as they like, between any
 * two bytes.
 */
export function readPrefix(prefix: MessagePrefix, piece: Uint8Array): boolean {
  if (prefix.seenBytes === PREFIX_BYTES) return false;
  for (let at = 0; at < piece.length && prefix.seenBytes < PREFIX_BYTES; at += 1) {
    if (prefix.seenBytes > 0) prefix.lengthBytes = prefix.lengthBytes * 256 + piece[at]!;
    prefix.seenBytes += 1;
  }
  return prefix.seenBytes === PREFIX_BYTES;
}
