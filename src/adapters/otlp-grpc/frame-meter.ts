import type { Clock } from "../../ports/clock.ts";

/** A step of a connection: what HTTP/2 reads of it before others have their turn. */
const MAX_STEP_BYTES = 64 * 1024;
const MAX_STEP_FRAMES = 64;

/** The preface of a connection comes before its first frame. Source: RFC 9113, section 3.4. */
const PREFACE_BYTES = 24;

/** [ length, 3 ][ type, 1 ][ flags, 1 ][ stream, 4 ]. Source: RFC 9113, section 4.1. */
const HEAD_BYTES = 9;

const DATA = 0x0;
const HEADERS = 0x1;
const RESET_STREAM = 0x3;
const GO_AWAY = 0x7;
const END_STREAM = 0x1;

/** A smaller DATA frame takes more memory for its objects than for its bytes. */
const MIN_DATA_BYTES = 256;

/** Cancelling a call costs about as much as ten other frames. */
const RESET_COST = 10;

/** A call may come in a few small frames, its last one included, with as many around it. */
const CREDIT_A_CALL = 9;

/**
 * The overhead that a connection may have at any time: enough to cancel 100 calls at once, or for
 * a message in a thousand tiny pieces.
 */
export const MAX_OVERHEAD = 1_000;
const OVERHEAD_A_SECOND = 200;

/**
 * Reads the heads of the frames of a connection before HTTP/2 does, to divide its bytes into steps
 * and to count overhead: frames that bring neither a call nor the bytes of one. HTTP/2 limits
 * neither these frames nor how small the pieces of a message are.
 */
export class FrameMeter {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly leaving: () => void;

  // Moved by `stepEnd` and `isExcessive`.
  /** The last stream that the peer has opened; 0 if none. */
  lastStream = 0;
  private payloadLeft = PREFACE_BYTES;
  private readonly head = new Uint8Array(HEAD_BYTES);
  private headBytes = 0;
  private overhead = 0;
  /** The calls whose end will give credit. A peer can send DATA for streams that have ended. */
  private openCalls = 0;
  private countedMs: number;

  /** Calls `leaving` when the peer says GOAWAY. */
  constructor(clock: Clock, leaving: () => void) {
    this.clock = clock;
    this.leaving = leaving;
    this.countedMs = clock.monotonicMs();
  }

  /** Returns the end of the step that starts at `from`, and counts its frames. */
  stepEnd(bytes: Uint8Array, from: number): number {
    const limit = Math.min(bytes.length, from + MAX_STEP_BYTES);
    let at = from;
    let frames = MAX_STEP_FRAMES;
    for (; at < limit && frames > 0; frames -= 1) at = this.skipFrame(bytes, at, limit);
    return at;
  }

  /** Reports whether the frames so far are out of proportion to the calls. */
  isExcessive(): boolean {
    if (this.overhead <= MAX_OVERHEAD) return false;
    const sinceMs = this.clock.monotonicMs() - this.countedMs;
    this.countedMs += sinceMs;
    this.overhead = Math.max(0, this.overhead - (sinceMs * OVERHEAD_A_SECOND) / 1000);
    return this.overhead > MAX_OVERHEAD;
  }

  /** Returns the end of the payload that has begun, and of the next head. */
  private skipFrame(bytes: Uint8Array, from: number, limit: number): number {
    const skipped = Math.min(this.payloadLeft, limit - from);
    this.payloadLeft -= skipped;
    return skipped === limit - from ? limit : this.readHead(bytes, from + skipped);
  }

  private readHead(bytes: Uint8Array, from: number): number {
    const isWhole = this.headBytes === 0 && bytes.length - from >= HEAD_BYTES;
    if (!isWhole) return this.joinHead(bytes, from);
    this.count(bytes, from);
    return from + HEAD_BYTES;
  }

  /** Reads a head that the peer, or the network, has split. */
  private joinHead(bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + HEAD_BYTES - this.headBytes);
    this.head.set(bytes.subarray(from, end), this.headBytes);
    this.headBytes += end - from;
    if (this.headBytes === HEAD_BYTES) this.count(this.head, (this.headBytes = 0));
    return end;
  }

  private count(bytes: Uint8Array, at: number): void {
    this.payloadLeft = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
    this.note(type, streamAt(bytes, at + 5));
    const credit = type === DATA && (flags & END_STREAM) !== 0 ? this.endCall() : 0;
    this.overhead = Math.max(0, this.overhead + overheadOf(type, this.payloadLeft) - credit);
  }

  private note(type: number, stream: number): void {
    if (type === HEADERS) this.beginCall(stream);
    else if (type === GO_AWAY) this.leaving();
  }

  private beginCall(stream: number): void {
    if (stream > this.lastStream) this.openCalls += 1;
    this.lastStream = Math.max(this.lastStream, stream);
  }

  /** Returns the credit of a call, unless none is open. */
  private endCall(): number {
    if (this.openCalls === 0) return 0;
    this.openCalls -= 1;
    return CREDIT_A_CALL;
  }
}

/** Returns the stream of a head, without its reserved bit. */
function streamAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]!;
  return (high << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function overheadOf(type: number, lengthBytes: number): number {
  if (type === HEADERS) return 0;
  if (type === RESET_STREAM) return RESET_COST;
  return type === DATA && lengthBytes >= MIN_DATA_BYTES ? 0 : 1;
}
