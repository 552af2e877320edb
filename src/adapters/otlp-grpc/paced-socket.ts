import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SteppedWork } from "../listening/fair-turns.ts";
import type { SenderTurns } from "../listening/sender-turns.ts";
import { FrameMeter } from "./frame-meter.ts";

interface PacedSocketParts {
  readonly turns: Pick<SenderTurns, "mayStep" | "queue">;
  readonly clock: Clock;
  /** Called with the number of bytes that wait to be read or sent. */
  readonly held: (bytes: number) => void;
  /** Called when the peer sends frames out of proportion to its calls. */
  readonly excessive: () => void;
  /** Called when the peer says GOAWAY. */
  readonly leaving: () => void;
}

/**
 * Stands between a socket and its HTTP/2 session, and passes on bytes in steps, so that no peer
 * takes more than its share of the event loop. Passes on nothing while the peer does not read what
 * was sent to it, so that answers do not pile up.
 *
 * Given the socket itself, a session of Bun reads it in native code, everything at once, and makes
 * up to three system calls for each response; here it is one for all responses of a turn, which
 * saves a fifth of the processor time of a request with one span. A session needs no more of a
 * `Duplex` than this class has, which costs a fraction of one.
 */
export class PacedSocket extends EventEmitter implements SteppedWork {
  // Fixed at construction.
  private readonly socket: Socket;
  private readonly parts: PacedSocketParts;
  private readonly meter: FrameMeter;

  // Moved by `take` and `step`: the bytes that wait, from `at`.
  private waiting: Buffer | undefined;
  private at = 0;

  constructor(socket: Socket, parts: PacedSocketParts) {
    super();
    this.socket = socket;
    this.parts = parts;
    this.meter = new FrameMeter(parts.clock, parts.leaving);
    passEvents(socket, this, (bytes) => this.take(bytes));
  }

  get sender(): string {
    return this.socket.remoteAddress ?? "";
  }

  /** Passes on the next step. Returns whether another one can follow. */
  step(): boolean {
    const { waiting, socket } = this;
    if (waiting === undefined || socket.destroyed) return false;
    if (socket.writableNeedDrain) return this.waitForReader();
    this.pass(waiting);
    return this.waiting !== undefined || this.resumeReading();
  }

  /**
   * Passes on bytes while this turn has time and, once the time is up, one step for each address;
   * pauses the socket if some are left.
   */
  private take(bytes: Buffer): void {
    this.waiting = bytes;
    this.at = 0;
    while (this.waiting !== undefined && this.mayPass()) this.pass(bytes);
    if (this.waiting !== undefined) this.pause();
  }

  private mayPass(): boolean {
    return !this.socket.writableNeedDrain && this.parts.turns.mayStep(this);
  }

  private pass(bytes: Buffer): void {
    const from = this.at;
    this.at = this.meter.stepEnd(bytes, from);
    if (this.at === bytes.length) this.waiting = undefined;
    if (this.meter.isExcessive()) this.refuse();
    else passBytes(this, bytes, { from, end: this.at });
  }

  private refuse(): void {
    this.discard();
    this.socket.pause();
    this.socket.write(goAway(this.meter.lastStream, ENHANCE_YOUR_CALM));
    this.parts.excessive();
  }

  /** Frees what waits. It may be as large as all that a socket holds, and floods reconnect. */
  private discard(): void {
    if (this.waiting !== undefined) releaseBytes(this.waiting);
    this.waiting = undefined;
  }

  /** Frees what waits later, because HTTP/2 may be reading it now. */
  closed(): void {
    setImmediate(() => this.discard());
    this.emit("close");
  }

  /** Bun passes on what it reads in this turn even after the pause, up to as much again. */
  private pause(): void {
    this.socket.pause();
    this.noteHeld();
    setImmediate(() => this.noteHeld());
    this.parts.turns.queue(this);
  }

  private waitForReader(): false {
    this.noteHeld();
    this.socket.once("drain", () => this.parts.turns.queue(this));
    return false;
  }

  private resumeReading(): false {
    this.socket.resume();
    this.noteHeld();
    return false;
  }

  /** Reports the held bytes, with those that a paused socket had already read. */
  private noteHeld(): void {
    const { readableLength, writableLength, destroyed } = this.socket;
    if (destroyed) return;
    this.parts.held((this.waiting?.length ?? 0) + readableLength + writableLength);
  }

  // What a session uses of a stream, and what we use of the session's stream.

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.socket.localPort;
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }

  get writableEnded(): boolean {
    return this.socket.writableEnded;
  }

  /** Sends what is written in one turn of the event loop together, at its end. */
  write(bytes: Uint8Array): boolean {
    if (this.socket.writableCorked === 0) this.corkForThisTurn();
    return this.socket.write(bytes);
  }

  private corkForThisTurn(): void {
    this.socket.cork();
    setImmediate(() => this.socket.uncork());
  }

  /**
   * Says GOAWAY on behalf of a session that is destroyed. Bun 1.4.5 writes it, but passes it on to
   * sockets only (`test/quirks/bun.test.ts`).
   */
  end(ended?: () => void): void {
    const code = ended === undefined ? NO_ERROR : PROTOCOL_ERROR;
    if (!this.socket.writableEnded) this.socket.write(goAway(this.meter.lastStream, code));
    this.socket.end(ended);
  }

  destroy(error?: Error): void {
    this.socket.destroy(error);
  }

  /** A session that ends reads the rest. */
  resume(): void {
    this.waiting = undefined;
    this.socket.resume();
  }
}

const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const ENHANCE_YOUR_CALM = 11;

/**
 * Returns a GOAWAY frame. A session that ends for an error waits for the end of its socket, and
 * other sessions do not. Source: RFC 9113, sections 6.8 and 7.
 */
function goAway(lastStream: number, code: number): Buffer {
  const frame = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code]);
  frame.writeUInt32BE(lastStream, 9);
  return frame;
}

function passEvents(socket: Socket, to: PacedSocket, take: (bytes: Buffer) => void): void {
  socket.on("data", take);
  socket.on("drain", () => to.emit("drain"));
  socket.on("close", () => to.closed());
  socket.on("error", (error) => to.emit("error", error));
}

/** Passes on a part of the bytes, and frees them after the last one: HTTP/2 has copied them. */
function passBytes(
  to: PacedSocket,
  bytes: Buffer,
  { from, end }: { readonly from: number; readonly end: number },
): void {
  const isAll = from === 0 && end === bytes.length;
  to.emit("data", isAll ? bytes : bytes.subarray(from, end));
  if (end === bytes.length) releaseBytes(bytes);
}
