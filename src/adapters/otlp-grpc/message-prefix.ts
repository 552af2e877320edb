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
  flag: number;
  lengthBytes: number;
}

export function emptyPrefix(): MessagePrefix {
  return { seenBytes: 0, flag: 0, lengthBytes: 0 };
}

/**
 * Reads on, and returns the number of bytes of `piece` that belong to the prefix. Peers may split a
 * message between any two bytes.
 */
export function readPrefix(prefix: MessagePrefix, piece: Uint8Array): number {
  let at = 0;
  for (; at < piece.length && prefix.seenBytes < PREFIX_BYTES; at += 1) {
    if (prefix.seenBytes === 0) prefix.flag = piece[at]!;
    else prefix.lengthBytes = prefix.lengthBytes * 256 + piece[at]!;
    prefix.seenBytes += 1;
  }
  return at;
}

export function isPrefixWhole({ seenBytes }: MessagePrefix): boolean {
  return seenBytes === PREFIX_BYTES;
}
