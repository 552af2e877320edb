import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { ServedPort } from "../../../src/adapters/listening/served-port.ts";

const running: ServedPort[] = [];
const sockets: Socket[] = [];
const ADDRESS = { host: "127.0.0.1", port: 0 };

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((served) => served.abort()));
});

/** Serves a port that answers `/` at once, and other paths after `release()`. */
function serveOnFreePort({ mayBreakOff = false } = {}) {
  const released = Promise.withResolvers<void>();
  let begun = 0;
  const serve = (port: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port,
      reusePort: false,
      development: false,
      fetch: async (request) => {
        begun += 1;
        if (!request.url.endsWith("/")) await released.promise;
        return new Response("answered");
      },
    });
  const served = new ServedPort({ serve, address: ADDRESS, mayBreakOff });
  running.push(served);
  const url = `http://127.0.0.1:${served.port}`;
  const get = async (path: string) =>
    await fetch(`${url}${path}`, { keepalive: false }).then(
      (answer) => answer.text(),
      (error: Error & { code?: string }) => error.code,
    );
  return { served, get, release: () => released.resolve(), begun: () => begun };
}

/** Sends part of a request: enough to be accepted, because Linux defers silent connections. */
async function slowPeer(port: number) {
  const socket = connect({ port, host: "127.0.0.1" }).resume();
  sockets.push(socket);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => void socket.write("POST /", () => resolve()));
  return { closed };
}

test("a paused port refuses connections, and resumes with the same number", async () => {
  const { served, get } = serveOnFreePort();

  served.pause();
  const paused = await get("/");
  await served.resume();

  expect(paused).toBe("ECONNREFUSED");
  expect(await get("/")).toBe("answered");
});

test("repeated calls of pause() and resume() have no effect", async () => {
  const { served, get } = serveOnFreePort();

  served.pause();
  served.pause();
  await served.resume();
  await served.resume();

  expect(await get("/")).toBe("answered");
});

test("a request in flight is answered after a pause, and counted until then", async () => {
  const { served, get, release, begun } = serveOnFreePort();
  const waiting = get("/slow");
  while (begun() === 0) await get("/");

  served.pause();
  await served.resume();
  const pending = served.pendingRequests;
  release();

  expect(pending).toBe(1);
  expect(await waiting).toBe("answered");
});

test("mayBreakOff ends incomplete requests and those in flight at once", async () => {
  const { served, get, begun } = serveOnFreePort({ mayBreakOff: true });
  const slow = await slowPeer(served.port);
  const waiting = get("/never");
  while (begun() === 0) await get("/");

  served.pause();

  await slow.closed;
  expect(await waiting).toBe("ECONNRESET");
});

test("hold() keeps incomplete requests and those in flight", async () => {
  const { served, get, release, begun } = serveOnFreePort({ mayBreakOff: true });
  const slow = connect({ port: served.port, host: "127.0.0.1" });
  sockets.push(slow);
  const answered = new Promise((resolve) => void slow.once("data", resolve));
  await new Promise<void>((resolve) => void slow.write("GET / HTTP/1.1\r\n", () => resolve()));
  const waiting = get("/slow");
  while (begun() < 2) await get("/");

  served.hold();
  slow.write("Host: localhost\r\n\r\n");
  release();

  expect(String(await answered)).toStartWith("HTTP/1.1 200 ");
  expect(await waiting).toBe("answered");
});

test("relieve() closes idle connections and keeps those with a request", async () => {
  const { served, get, release, begun } = serveOnFreePort();
  const idle = connect({ port: served.port, host: "127.0.0.1" });
  sockets.push(idle);
  const closed = new Promise<void>((resolve) => idle.once("close", () => resolve()));
  idle.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise<void>((resolve) => void idle.once("data", () => resolve()));
  idle.resume();
  const waiting = get("/slow");
  while (begun() < 2) await get("/");

  served.relieve();
  await closed;
  release();

  expect(await waiting).toBe("answered");
});

test("resume() reports a port in use, and can be called again", async () => {
  const { served, get } = serveOnFreePort();
  served.pause();
  const other = Bun.serve({
    hostname: "127.0.0.1",
    port: served.port,
    fetch: () => new Response(),
  });

  const failure: unknown = await served.resume().catch((error: unknown) => error);
  await other.stop(true);
  await served.resume();

  expect(failure).toMatchObject({ code: "EADDRINUSE" });
  expect(await get("/")).toBe("answered");
});

test("abort() ends the requests of a paused port", async () => {
  const { served, get, begun } = serveOnFreePort();
  const waiting = get("/never");
  while (begun() === 0) await get("/");
  served.pause();

  await served.abort();

  expect(await waiting).toBe("ECONNRESET");
  expect(served.pendingRequests).toBe(0);
});
