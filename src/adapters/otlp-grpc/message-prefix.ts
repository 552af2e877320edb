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
