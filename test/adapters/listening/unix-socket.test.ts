import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import {
  type BigIntStats,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import {
  checkSocketPath,
  claimSocketPath,
  closeSocket,
  nameUnixPeer,
  removeSocket,
  socketFileOf,
  withSocketMode,
} from "../../../src/adapters/listening/unix-socket.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const root = temporaryFolder();

afterEach(() => mock.restore());

function freshPath(): string {
  return join(mkdtempSync(join(root, "socket-")), "otlp.sock");
}

async function listenAt(path: string): Promise<Server> {
  const server = createServer();
  server.listen({ path });
  await once(server, "listening");
  return server;
}

/** Leaves a socket behind, as a program that was killed does. */
async function leaveSocket(path: string): Promise<void> {
  const code = `require("node:net").createServer().listen({ path: process.argv[1] }, () =>
    process.kill(process.pid, "SIGKILL"))`;
  await Bun.spawn([process.execPath, "-e", code, path]).exited;
}

async function codeOf(trying: Promise<void>): Promise<string | undefined> {
  return await trying.then(
    () => undefined,
    ({ code }: NodeJS.ErrnoException) => code,
  );
}

describe.each([
  { name: "claiming", take: claimSocketPath },
  { name: "checking", take: checkSocketPath },
])("$name a path", ({ take }) => {
  test("succeeds where nothing is", async () => {
    expect(await codeOf(take(freshPath()))).toBeUndefined();
  });

  test("fails where a program answers, and leaves its socket alone", async () => {
    const path = freshPath();
    const server = await listenAt(path);

    const code = await codeOf(take(path));
    const isThere = existsSync(path);
    server.close();

    expect([code, isThere]).toEqual(["EADDRINUSE", true]);
  });

  test("fails where a file is, and leaves it alone", async () => {
    const path = freshPath();
    writeFileSync(path, "precious");

    expect(await codeOf(take(path))).toBe("ENOTSOCK");
    expect(statSync(path).size).toBe(8);
  });

  test("fails in a missing folder", async () => {
    expect(await codeOf(take(join(root, "missing", "otlp.sock")))).toBe("ENOENT");
  });
});

test("a socket that a killed program left is removed by a claim only", async () => {
  const path = freshPath();
  await leaveSocket(path);

  await checkSocketPath(path);
  const isThere = existsSync(path);
  await claimSocketPath(path);

  expect([isThere, existsSync(path)]).toEqual([true, false]);
});

test.each([0o600, 0o660, 0o666])("a socket has the configured mode %o", async (socketMode) => {
  const path = freshPath();

  const server = withSocketMode({ socketMode }, () => createServer().listen({ path }));
  const mode = statSync(path).mode & 0o777;
  server.close();

  expect(mode).toBe(socketMode);
});

function fail(): never {
  throw new Error("no");
}

test("other files keep their modes, even if listening fails", () => {
  const before = process.umask();
  expect(() => withSocketMode({ socketMode: 0o600 }, fail)).toThrow("no");
  expect(process.umask()).toBe(before);
});

test("without a mode, the umask is not touched", () => {
  const umask = withSocketMode({}, () => process.umask());

  expect(umask).toBe(process.umask());
});

test("peers of a Unix socket have one address and different numbers", async () => {
  const path = freshPath();
  const peers: Socket[] = [];
  const server = await listenAt(path);
  const both = new Promise<void>((resolve) => {
    server.on("connection", (peer) => {
      nameUnixPeer(peer);
      if (peers.push(peer) === 2) resolve();
    });
  });

  const clients = [connect(path), connect(path)];
  await both;
  for (const each of [...clients, ...peers]) each.destroy();
  server.close();

  const [first, second] = peers.map(({ remotePort }) => remotePort);
  expect(peers.map(({ remoteAddress }) => remoteAddress)).toEqual(["unix", "unix"]);
  expect(first).not.toBe(second);
});

async function foundAt(path: string): Promise<BigIntStats> {
  await leaveSocket(path);
  return lstatSync(path, { bigint: true });
}

function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  const isConnected = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  return isConnected.finally(() => socket.destroy());
}

test("a socket that another program has put there meanwhile is kept", async () => {
  const path = freshPath();
  const found = await foundAt(path);
  unlinkSync(path);
  const server = await listenAt(path);

  const code = await codeOf(removeSocket(path, found));
  const isKept = await isAnswered(path);
  server.close();

  expect([code, isKept]).toEqual(["EADDRINUSE", true]);
});

test("a socket of another user, to which no link is allowed, is kept as well", async () => {
  const path = freshPath();
  const found = await foundAt(path);
  unlinkSync(path);
  const server = await listenAt(path);
  const denied = Object.assign(new Error("EPERM"), { code: "EPERM" });

  const code = await codeOf(removeSocket(path, found, () => Promise.reject(denied)));
  const isKept = await isAnswered(path);
  const files = readdirSync(dirname(path));
  server.close();

  expect([code, isKept, files]).toEqual(["EADDRINUSE", true, ["otlp.sock"]]);
});

test("a socket that another program has removed meanwhile is nothing to remove", async () => {
  const path = freshPath();
  const found = await foundAt(path);
  unlinkSync(path);

  expect(await codeOf(removeSocket(path, found))).toBeUndefined();
});

test("nothing is left of a socket that is removed", async () => {
  const path = freshPath();

  await removeSocket(path, await foundAt(path));

  expect(readdirSync(dirname(path))).toEqual([]);
});

test.each([
  { name: "its own", meanwhile: () => {} },
  { name: "one that another program has removed", meanwhile: unlinkSync },
])("closing a socket removes $name", async ({ meanwhile }) => {
  const path = freshPath();
  const server = await listenAt(path);
  const file = socketFileOf({ host: `unix:${path}` });

  meanwhile(path);
  closeSocket(file, () => server.close());

  expect(readdirSync(dirname(path))).toEqual([]);
});

test("closing a socket keeps the one of a program that has taken the path over", async () => {
  const path = freshPath();
  const server = await listenAt(path);
  const file = socketFileOf({ host: `unix:${path}` });
  unlinkSync(path);
  const other = await listenAt(path);

  closeSocket(file, () => server.close());
  const isKept = await isAnswered(path);
  const files = readdirSync(dirname(path));
  other.close();

  expect([isKept, files]).toEqual([true, ["otlp.sock"]]);
});

const { renameSync } = fs;

function deny(): never {
  throw Object.assign(new Error("EPERM"), { code: "EPERM" });
}

test.each<{ name: string; rename: typeof renameSync }>([
  { name: "may not be moved", rename: deny },
  {
    name: "vanishes before it is moved",
    rename: (from, to) => {
      unlinkSync(from);
      renameSync(from, to);
    },
  },
  {
    name: "vanishes after it was moved",
    rename: (from, to) => {
      renameSync(from, to);
      unlinkSync(to);
    },
  },
])("a socket is closed even if the one that has taken its path over $name", async ({ rename }) => {
  const path = freshPath();
  const server = await listenAt(path);
  const file = socketFileOf({ host: `unix:${path}` });
  unlinkSync(path);
  const other = await listenAt(path);

  const renaming = spyOn(fs, "renameSync").mockImplementation(rename);
  closeSocket(file, () => server.close());
  other.close();

  expect(renaming).toHaveBeenCalled();
  expect(server.listening).toBe(false);
});

test("a port has no file", () => {
  expect(socketFileOf({ host: "127.0.0.1" })).toBeUndefined();
  expect(closeSocket(undefined, () => "closed")).toBe("closed");
});
