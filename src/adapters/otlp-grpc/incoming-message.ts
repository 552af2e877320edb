import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { EncodedMessage } from "./message-encoding.ts";
import { emptyPrefix, isPrefixWhole, readPrefix } from "./message-prefix.ts";

const NO_BYTES = Buffer.alloc(0);

/** The first room for a message in several pieces: a peer may announce more than it sends. */
const FIRST_ROOM_BYTES = 256 * 1024;
const GROWTH = 4;

/**
 * Assembles the only message of a call from the pieces in which it arrives.
 *
 * A message in one piece is not copied. Otherwise each piece is copied into the room of the
 * message, and freed at once, so that the next one gets memory that is still in the processor
 * cache.
 */
export class IncomingMessage {
  // Fixed at construction.
  private readonly maxBytes: number;

  // Moved by `add` and `release`.
  readonly prefix = emptyPrefix();
  private bytes: Buffer = NO_BYTES;
  private filledBytes = 0;
  /** Set when bytes have arrived after the message. */
  isFollowed = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Reports whether its prefix announces more than the maximum. */
  get isTooLong(): boolean {
    return this.prefix.lengthBytes > this.maxBytes && isPrefixWhole(this.prefix);
  }

  get isWhole(): boolean {
    return isPrefixWhole(this.prefix) && this.filledBytes === this.prefix.lengthBytes;
  }

  /** Adds a piece, and frees it unless it becomes the message itself. */
  add(piece: Buffer): void {
    const from = isPrefixWhole(this.prefix) ? 0 : readPrefix(this.prefix, piece);
    if (!isPrefixWhole(this.prefix) || this.isTooLong) return;
    this.addBody(this.withinMessage(from === 0 ? piece : piece.subarray(from)));
  }

  /** Returns the whole message, whose bytes are freed by `release`. */
  read(encoding: string | undefined): EncodedMessage {
    return { flag: this.prefix.flag, encoding, bytes: this.bytes };
  }

  release(): void {
    releaseBytes(this.bytes);
    this.bytes = NO_BYTES;
  }

  private withinMessage(bytes: Buffer): Buffer {
    const room = this.prefix.lengthBytes - this.filledBytes;
    if (bytes.length <= room) return bytes;
    this.isFollowed = true;
    return bytes.subarray(0, room);
  }

  private addBody(body: Buffer): void {
    const at = this.filledBytes;
    this.filledBytes += body.length;
    if (at === 0 && this.isWhole) this.bytes = body;
    else this.copy(body, at);
  }

  private copy(body: Buffer, at: number): void {
    if (this.filledBytes > this.bytes.length) this.grow(at);
    this.bytes.set(body, at);
    releaseBytes(body);
  }

  private grow(usedBytes: number): void {
    const roomBytes = Math.max(this.filledBytes, FIRST_ROOM_BYTES, this.bytes.length * GROWTH);
    const larger = Buffer.allocUnsafeSlow(Math.min(roomBytes, this.prefix.lengthBytes));
    larger.set(this.bytes.subarray(0, usedBytes));
    releaseBytes(this.bytes);
    this.bytes = larger;
  }
}
