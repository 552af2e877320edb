import { callHeaders, FLAG, frame, FRAME, GREETING } from "../../support/grpc/grpc-wire.ts";
import type { Tally } from "../attack-case.ts";
import type { Talk } from "./siege.ts";

/** The number of bytes that HTTP/2 lets each side send initially. Source: RFC 9113, 6.9.2. */
const INITIAL_WINDOW_BYTES = 65_535;
const MAX_FRAME_BYTES = 16_384;
const INITIAL_WINDOW_SIZE = 4;

/** A window update that lets the other side send two gigabytes. */
const WIDE_WINDOW = frame({ type: FRAME.windowUpdate }, uint32(2 ** 31 - 1 - INITIAL_WINDOW_BYTES));

export interface Http2State {
  /** Returns how many bytes of DATA the other side accepts now, on this stream. */
  readonly room: (streamId: number) => number;
  readonly spend: (streamId: number, bytes: number) => void;
  /** Open streams. */
  readonly open: Set<number>;
  readonly nextStream: () => number;
}

/**
 * A client of HTTP/2 that obeys flow control and answers pings, so that the server can
 * object only to the attack itself.
 */
export function http2Talk(tally: Tally, next: (state: Http2State) => Uint8Array | undefined): Talk {
  const windows = new Map<number, number>([[0, INITIAL_WINDOW_BYTES]]);
  const open = new Set<number>();
  let initialBytes = INITIAL_WINDOW_BYTES;
  let lastStream = -1;
  let unread: Buffer = Buffer.alloc(0);
  const grow = (streamId: number, bytes: number) =>
    void windows.set(streamId, (windows.get(streamId) ?? initialBytes) + bytes);
  const state: Http2State = {
    room: (streamId) => Math.min(windows.get(0)!, windows.get(streamId) ?? initialBytes),
    spend: (streamId, bytes) => void (grow(0, -bytes), grow(streamId, -bytes)),
    open,
    nextStream: () => {
      lastStream += 2;
      open.add(lastStream);
      return lastStream;
    },
  };
  const receive = ({ type, flags, streamId, payload }: ReceivedFrame): Uint8Array | undefined => {
    if (type === FRAME.windowUpdate) grow(streamId, payload.readUInt32BE(0));
    if (type === FRAME.resetStream) tally.add(`reset ${payload.readUInt32BE(0)}`);
    if (type === FRAME.goAway) tally.add(`goaway ${payload.readUInt32BE(4)}`);
    if (type === FRAME.headers) tally.add("headers");
    const isEnd = (type === FRAME.headers || type === FRAME.data) && (flags & FLAG.endStream) > 0;
    if (isEnd || type === FRAME.resetStream) {
      open.delete(streamId);
      windows.delete(streamId);
    }
    if ((flags & FLAG.acknowledge) > 0) return undefined;
    if (type === FRAME.ping) return frame({ type, flags: FLAG.acknowledge }, payload);
    if (type !== FRAME.settings) return undefined;
    initialBytes = settingOf(payload, INITIAL_WINDOW_SIZE) ?? initialBytes;
    return frame({ type, flags: FLAG.acknowledge });
  };
  return {
    opening: Buffer.concat([GREETING, WIDE_WINDOW]),
    next: () => next(state),
    take: (bytes) => {
      const { frames, rest } = framesIn(
        unread.length === 0 ? bytes : Buffer.concat([unread, bytes]),
      );
      unread = rest;
      return Buffer.concat(frames.map(receive).filter((reply) => reply !== undefined));
    },
  };
}

/** Sends the bytes that `build` returns once, then nothing. */
export function once(build: (state: Http2State) => Uint8Array) {
  let isSent = false;
  return (state: Http2State): Uint8Array | undefined => {
    if (isSent) return undefined;
    isSent = true;
    return build(state);
  };
}

/** Returns the frames that open a call, with as many frames as its headers need. */
export function opensCall(
  streamId: number,
  path: string,
  extra: Readonly<Record<string, string>> = {},
  flags = 0,
): Buffer {
  const block = callHeaders(path, extra);
  const pieces: Buffer[] = [];
  for (let start = 0; start < block.length; start += MAX_FRAME_BYTES) {
    const end = start + MAX_FRAME_BYTES;
    const type = start === 0 ? FRAME.headers : FRAME.continuation;
    const ends = end >= block.length ? FLAG.endHeaders : 0;
    const own = start === 0 ? flags : 0;
    pieces.push(frame({ type, flags: ends | own, streamId }, block.subarray(start, end)));
  }
  return Buffer.concat(pieces);
}

/** Returns the same bytes, repeated. */
export function repeated(bytes: Uint8Array, times: number): Buffer {
  return Buffer.concat(Array<Uint8Array>(times).fill(bytes));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

function framesIn(bytes: Buffer): { frames: ReceivedFrame[]; rest: Buffer } {
  const frames: ReceivedFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 9 && bytes.length - at >= 9 + bytes.readUIntBE(at, 3)) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/**
 * Returns a setting. Settings are pairs of a two-byte identifier and a four-byte value. Source: RFC
 * 9113, 6.5.1.
 */
function settingOf(payload: Buffer, wanted: number): number | undefined {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    if (payload.readUInt16BE(at) === wanted) return payload.readUInt32BE(at + 2);
  }
  return undefined;
}
