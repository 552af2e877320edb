import { closeSync, openSync } from "node:fs";
import { filterProgram, type NativeSockets, nativeSockets } from "./native-sockets.ts";

/**
 * Stops a port from accepting connections while its socket and all its connections stay open.
 *
 * A filter makes Linux drop whatever peers send to the listening socket. So they try to connect
 * again, first after a second, and notice no more than the delay if it ends in time. A closed
 * socket would refuse them, and many exporters give up a batch then.
 *
 * Connections that wait already cannot stay: the runtime would try to accept them without a pause.
 * They are accepted and closed, which takes a descriptor, so one is kept in reserve.
 */
export class AcceptHold {
  // Fixed at construction.
  private readonly port: number;

  // Moved by `begin` and `end`.
  private held: readonly number[] = [];

  /** The port is 0 for a Unix socket, whose peers a filter does not stop. */
  constructor(port: number) {
    this.port = port;
    fillReserve();
  }

  get isPossible(): boolean {
    return this.port !== 0 && nativeSockets() !== undefined;
  }

  get isHeld(): boolean {
    return this.held.length > 0;
  }

  /** Returns whether nothing is accepted from now on; otherwise nothing is changed. */
  begin(): boolean {
    const native = this.isPossible ? nativeSockets() : undefined;
    if (this.isHeld || native === undefined) return this.isHeld;
    this.held = socketsAt(this.port, native);
    if (!this.held.every((socket) => isClosedTo(socket, native))) this.end();
    return this.isHeld;
  }

  end(): void {
    const native = nativeSockets();
    for (const socket of this.held) native?.set(socket, SO_DETACH_FILTER, NOTHING);
    this.held = [];
    fillReserve();
  }
}

/** Source: socket(7), for x86-64 and arm64. */
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const NOTHING = Int32Array.of(0);
/** A filter returns how many bytes of a packet are kept. */
const NONE = 0;

/** Listening sockets are opened at the start, so their numbers are low. */
const MAX_DESCRIPTOR = 1024;

/** Asks the system for each number, because a folder cannot be read without a descriptor. */
function socketsAt(port: number, native: NativeSockets): number[] {
  const numbers = Array.from({ length: MAX_DESCRIPTOR }, (_, descriptor) => descriptor);
  return numbers.filter((descriptor) => native.listeningPort(descriptor) === port);
}

function isClosedTo(socket: number, native: NativeSockets): boolean {
  if (!native.set(socket, SO_ATTACH_FILTER, filterProgram(NONE))) return false;
  spendReserve();
  const isEmpty = closeAllWaiting(socket, native);
  fillReserve();
  return isEmpty;
}

/** No more than that wait on Linux by default, so a system with more of them has no filters. */
const MAX_WAITING = 4096;

function closeAllWaiting(socket: number, native: NativeSockets): boolean {
  for (let left = MAX_WAITING; left > 0 && native.hasWaiting(socket); left -= 1) {
    if (!native.closeWaiting(socket)) return false;
  }
  return !native.hasWaiting(socket);
}

/** A file that is closed when its descriptor is needed. */
let reserve: number | undefined;

function spendReserve(): void {
  if (reserve !== undefined) closeSync(reserve);
  reserve = undefined;
}

function fillReserve(): void {
  try {
    reserve ??= openSync("/dev/null", "r");
  } catch {
    // Another thread has taken the descriptor.
  }
}
