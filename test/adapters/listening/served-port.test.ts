import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { ServedPort } from "../../../src/adapters/listening/served-port.ts";

const running: ServedPort[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((served) => served.abort()));
});

/** Answers `/` at once, and everything else when it is released. */
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
  const served = new ServedPort({ serve, port: 0, mayBreakOff });
  running.push(served);
  const url = `http://127.0.0.1:${served.port}`;
  const asked = async (path: string) =>
    await fetch(`${url}${path}`, { keepalive: false }).then(
      (answer) => answer.text(),
      (error: Error & { code?: string }) => error.code,
    );
  return { served, asked, release: () => released.resolve(), begun: () => begun };
}

/** Says too little for a request, and enough to be let in: Linux keeps those who say nothing. */
async function slowPeer(port: number) {
  const socket = connect({ port, host: "127.0.0.1" }).resume();
  sockets.push(socket);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => void socket.write("POST /", () => resolve()));
  return { closed };
}

test("while paused it refuses connections, and afterwards it has the same port", async () => {
  const { served, asked } = serveOnFreePort();

  served.pause();
  const paused = await asked("/");
  await served.resume();

  expect(paused).toBe("ECONNREFUSED");
  expect(await asked("/")).toBe("answered");
});

test("pausing twice, and resuming twice, changes nothing", async () => {
  const { served, asked } = serveOnFreePort();

  served.pause();
  served.pause();
  await served.resume();
  await served.resume();

  expect(await asked("/")).toBe("answered");
});

test("a request that is in flight is answered, and counted until then", async () => {
  const { served, asked, release, begun } = serveOnFreePort();
  const waiting = asked("/slow");
  while (begun() === 0) await asked("/");

  served.pause();
  await served.resume();
  const pending = served.pendingRequests;
  release();

  expect(pending).toBe(1);
  expect(await waiting).toBe("answered");
});

test("where it may break off, half-sent requests and those in flight end at once", async () => {
  const { served, asked, begun } = serveOnFreePort({ mayBreakOff: true });
  const slow = await slowPeer(served.port);
  const waiting = asked("/never");
  while (begun() === 0) await asked("/");

  served.pause();

  await slow.closed;
  expect(await waiting).toBe("ECONNRESET");
});

test("a connection that has had its answer can be closed, and one that waits stays", async () => {
  const { served, asked, release, begun } = serveOnFreePort();
  const idle = connect({ port: served.port, host: "127.0.0.1" });
  sockets.push(idle);
  const closed = new Promise<void>((resolve) => idle.once("close", () => resolve()));
  idle.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise<void>((resolve) => void idle.once("data", () => resolve()));
  idle.resume();
  const waiting = asked("/slow");
  while (begun() < 2) await asked("/");

  served.relieve();
  await closed;
  release();

  expect(await waiting).toBe("answered");
});

test("what cannot listen again says so, and may be tried again", async () => {
  const { served, asked } = serveOnFreePort();
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
  expect(await asked("/")).toBe("answered");
});

test("stopping ends what was paused, too", async () => {
  const { served, asked, begun } = serveOnFreePort();
  const waiting = asked("/never");
  while (begun() === 0) await asked("/");
  served.pause();

  await served.abort();

  expect(await waiting).toBe("ECONNRESET");
  expect(served.pendingRequests).toBe(0);
});
