import { type BigIntStats, constants, lstatSync, renameSync } from "node:fs";
import { access, link, lstat, rename, unlink } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import type { ListenAddress } from "../../config/config.ts";
import { socketPathOf } from "../../domain/text/host-address.ts";

/**
 * Makes a path free for a new socket: removes a socket that a program has left behind. Rejects with
 * a code: `EADDRINUSE` if a program answers there, `ENOTSOCK` if the path is something else, or the
 * code of the system, such as `ENOENT` for a missing folder.
 */
export async function claimSocketPath(path: string): Promise<void> {
  const stale = await staleSocket(path);
  if (stale !== undefined) await removeSocket(path, stale);
}

let claims = 0;

/**
 * Removes the socket that was found at a path. Another program that starts may have put its own
 * there since then, so the socket is first moved aside and looked at again. Rejects with
 * `EADDRINUSE` if it is another one.
 */
export async function removeSocket(
  path: string,
  found: BigIntStats,
  linkTo: typeof link = link,
): Promise<void> {
  const aside = `${path}.${process.pid}-${(claims += 1)}`;
  // Without a socket, another program is about to listen; the system lets only one do so.
  if (!(await isMoved(path, aside))) return;
  const isSame = isSameSocket(found, await lstat(aside, { bigint: true }));
  if (isSame) return await unlink(aside);
  await putBack(aside, path, linkTo);
  throw failure("EADDRINUSE", path);
}

/**
 * Moves the socket of another program back, unless a third program listens there by now. A link
 * replaces nothing, but Linux denies one to the socket of another user, and some file systems
 * have none.
 */
async function putBack(aside: string, path: string, linkTo: typeof link): Promise<void> {
  try {
    await linkTo(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") return await rename(aside, path);
  }
  await unlink(aside);
}

async function isMoved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A system may give a new file the number of a removed one. */
function isSameSocket(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.mtimeNs === other.mtimeNs;
}

/** Rejects like `claimSocketPath`, and changes nothing. */
export async function checkSocketPath(path: string): Promise<void> {
  await staleSocket(path);
}

async function staleSocket(path: string): Promise<BigIntStats | undefined> {
  await access(dirname(path), constants.W_OK | constants.X_OK);
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isSocket()) throw failure("ENOTSOCK", path);
  if (await isAnswered(path)) throw failure("EADDRINUSE", path);
  return found;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** Reports whether a program listens at a socket, even one that we may not connect to. */
function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(true));
  socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED"));
  return promise.finally(() => socket.destroy());
}

const ALL = 0o777;

/**
 * Calls `listen`, which must create the socket before it returns. Its mode is never wider than
 * configured, not even for a moment.
 */
export function withSocketMode<Listening>(
  { socketMode }: Pick<ListenAddress, "socketMode">,
  listen: () => Listening,
): Listening {
  if (socketMode === undefined) return listen();
  const earlier = process.umask(ALL & ~socketMode);
  try {
    return listen();
  } finally {
    process.umask(earlier);
  }
}

/** The file of a socket that listens. */
export interface SocketFile {
  readonly path: string;
  readonly file: BigIntStats;
}

/** Returns the file of a listener that has just begun to listen; undefined if it has a port. */
export function socketFileOf({ host }: Pick<ListenAddress, "host">): SocketFile | undefined {
  const path = socketPathOf(host);
  const file = path === undefined ? undefined : statsAt(path);
  return path === undefined || file === undefined ? undefined : { path, file };
}

/**
 * Calls `close`, which must close the listener before it returns. The runtime then removes the file
 * at its path, although it may be the socket of a program that has taken the path over (Bun 1.4.5,
 * `test/quirks/bun-servers.test.ts`). That one is out of the way meanwhile: for some microseconds,
 * in which nobody can connect to it. Where it may not be moved, as in a sticky folder, the runtime
 * may not remove it either.
 */
export function closeSocket<Closed>(own: SocketFile | undefined, close: () => Closed): Closed {
  if (own === undefined || !isTakenOver(own)) return close();
  const aside = `${own.path}.${process.pid}-${(claims += 1)}`;
  const isAside = tryMove(own.path, aside);
  try {
    return close();
  } finally {
    if (isAside) tryMove(aside, own.path);
  }
}

/** Moves a file of another program, unless it has vanished, or its user denies it. */
function tryMove(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** The number of a file is not given to another one while its socket listens. */
function isTakenOver({ path, file }: SocketFile): boolean {
  const now = statsAt(path);
  return now !== undefined && (now.dev !== file.dev || now.ino !== file.ino);
}

function statsAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The address of all peers of Unix sockets, which have none. */
export const UNIX_PEER = "unix";

let lastPeer = 0;

/** Returns a number that stands for the port of a peer, which identifies its connection. */
export function nextUnixPeer(): number {
  lastPeer += 1;
  return lastPeer;
}

/** Gives the peer of a Unix socket an address, so that its connection can be identified. */
export function nameUnixPeer(socket: Socket): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: UNIX_PEER },
    remotePort: { value: nextUnixPeer() },
  });
}
