/**
 * HTTP/2 frames built by hand, for peers that no client library would imitate.
 *
 *   0        3      4       5           9
 *   [ length ][ type ][ flags ][ stream id ][ payload, `length` bytes ]
 *
 * Sources: RFC 9113 section 4.1; for header fields (literals, no indexing) RFC 7541 section 6.2.2.
 */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const FRAME = {
  data: 0x0,
  headers: 0x1,
  resetStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = { endStream: 0x1, acknowledge: 0x1, endHeaders: 0x4 } as const;

export interface FrameHead {
  readonly type: number;
  readonly flags?: number;
  readonly streamId?: number;
}

export function frame(head: FrameHead, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(head.type, 3);
  bytes.writeUInt8(head.flags ?? 0, 4);
  bytes.writeUInt32BE(head.streamId ?? 0, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** The first bytes of a client: the preface and empty settings. */
export const GREETING = Buffer.concat([PREFACE, frame({ type: FRAME.settings })]);

/** Returns the header block of a gRPC call to `path`; `extra` fields come last. */
export function callHeaders(path: string, extra: Readonly<Record<string, string>> = {}): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    ...extra,
  };
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literalField(name, value)));
}

function literalField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), plainString(name), plainString(value)]);
}

/**
 * Returns a string literal without Huffman coding: its length, with a 7-bit prefix, and its octets.
 */
function plainString(text: string): Buffer {
  const octets = Buffer.from(text, "latin1");
  if (octets.length < 127) return Buffer.concat([Buffer.of(octets.length), octets]);
  const length = [127];
  let rest = octets.length - 127;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.of(...length, rest), octets]);
}

/** Returns the five bytes before a gRPC message: the compression flag and the length. */
export function messagePrefix(lengthBytes: number, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(lengthBytes, 1);
  return prefix;
}

export function grpcMessage(body: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([messagePrefix(body.length, flag), body]);
}

/** Returns DATA frames of at most 16 KiB, the largest that a peer may send by default. */
export function dataFrames(streamId: number, body: Uint8Array, flags = 0): Buffer {
  const frames: Buffer[] = [];
  for (let start = 0; start < body.length || start === 0; start += 16_384) {
    const end = Math.min(start + 16_384, body.length);
    const last = end === body.length ? flags : 0;
    frames.push(frame({ type: FRAME.data, flags: last, streamId }, body.subarray(start, end)));
  }
  return Buffer.concat(frames);
}
