import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { filterProgram, nativeSockets } from "./native-sockets.ts";

/**
 * Replaces one listening socket by another on the same port, so that no connection is refused,
 * reset or closed.
 *
 * `Bun.serve` takes a certificate only when it starts to listen: `reload()` ignores `tls` (Bun
 * 1.4.5, https://github.com/oven-sh/bun/issues/43815). Stopping the old server first refuses
 * connections meanwhile. Sharing the port resets those that wait in the queue of the old socket
 * when it is closed: with new connections in a loop, 2.8 of them at each of 38 changes. And
 * `stop()` closes connections that wait for their next request, even one that is under way.
 *
 * So the old socket is made to share its port, the new one listens, and Linux is told to give all
 * new connections to it. Once the old queue must be empty, the old socket is closed without the
 * knowledge of its server, which keeps serving its connections. No connection was lost in 24
 * changes under the same load (`test/adapters/listening/port-handover.test.ts`).
 */
export interface PortHandover {
  /** Closes the old socket. Must be called some time after `listen`, when its queue is empty. */
  finish(): void;
}

/**
 * Calls `listen`, which must listen on the port of the old socket with `reusePort`, and return the
 * descriptor of the new one. Returns undefined, without calling it, where this is impossible.
 * Throws if a file cannot be opened, or `listen` throws, and then changes nothing.
 */
export function handOverPort(
  old: number | undefined,
  listen: () => number | undefined,
): PortHandover | undefined {
  const native = nativeSockets();
  if (native === undefined || old === undefined) return undefined;
  // Opened now, because there may be no descriptor left at the end.
  const nothing = openSync("/dev/null", "r");
  const undo = (): void => {
    native.set(old, SO_REUSEPORT, OFF);
    closeSync(nothing);
  };
  if (!native.set(old, SO_REUSEPORT, ON)) {
    undo();
    return undefined;
  }
  const next = listenOr(undo, listen);
  if (next !== undefined) {
    native.set(next, SO_ATTACH_REUSEPORT_CBPF, filterProgram(SECOND_SOCKET));
    // Programs that would share the port by mistake are refused again.
    native.set(next, SO_REUSEPORT, OFF);
  }
  const finish = (): void => {
    native.replace(old, nothing);
    closeSync(nothing);
  };
  return { finish };
}

function listenOr<Value>(undo: () => void, listen: () => Value): Value {
  try {
    return listen();
  } catch (error) {
    undo();
    throw error;
  }
}

/** Returns the descriptors of the listening sockets of this process, by their inodes. */
export function listeningDescriptors(): ReadonlySet<number> {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap(listeningInodes));
  const isListening = (descriptor: string): boolean => inodes.has(inodeOf(descriptor));
  return new Set(entriesOf("/proc/self/fd").filter(isListening).map(Number));
}

/** The state of a socket that listens. Source: Linux, include/net/tcp_states.h. */
const LISTENING = "0A";
const STATE_COLUMN = 3;
const INODE_COLUMN = 9;

/** Source: proc_pid_net(5). */
function listeningInodes(path: string): string[] {
  const rows = textOf(path).split("\n").slice(1);
  const columns = rows.map((row) => row.trim().split(/\s+/));
  return columns.filter((row) => row[STATE_COLUMN] === LISTENING).map((row) => row[INODE_COLUMN]!);
}

function textOf(path: string): string {
  return readOr("", () => readFileSync(path, "utf8"));
}

function entriesOf(folder: string): string[] {
  return readOr([], () => readdirSync(folder));
}

/** Returns `42` for a link to `socket:[42]`. */
function inodeOf(descriptor: string): string {
  const link = readOr("", () => readlinkSync(`/proc/self/fd/${descriptor}`));
  return link.slice("socket:[".length, -1);
}

/** Reads what systems other than Linux, or without IPv6, do not have. */
function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Source: socket(7), for x86-64 and arm64. */
const SO_REUSEPORT = 15;
const SO_ATTACH_REUSEPORT_CBPF = 51;

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** The new socket is the second of the two that share the port. */
const SECOND_SOCKET = 1;
