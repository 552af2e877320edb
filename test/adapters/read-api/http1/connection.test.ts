import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import {
  type Connection,
  serveConnection,
} from "../../../../src/adapters/read-api/http1/connection.ts";
import type { SteppedWork } from "../../../../src/adapters/listening/fair-turns.ts";
import { HandMovedClock } from "../../../support/fakes/hand-moved-clock.ts";
import { untilSo } from "../../../support/running/running-http1-server.ts";

// Goal: the time for a head begins with its first byte, and ends with its last one; a peer that
// sends more than it may takes no memory.
// Method: a real connection, whose state the tests read between two pieces of a request.

const toClose: Disposable[] = [];

afterEach(() => {
  for (const each of toClose.splice(0)) each[Symbol.dispose]();
});

async function openConnection({ takesBody = false, hasTime = true } = {}) {
  const clock = new HandMovedClock();
  const queued: SteppedWork[] = [];
  const turns = {
    mayBegin: () => hasTime,
    queue: (work: SteppedWork) => void queued.push(work),
  };
  const accepted = Promise.withResolvers<Connection>();
  const server = createServer((socket) =>
    accepted.resolve(
      serveConnection(socket, {
        answer: async ({ url, bodyChunks }) => {
          if (url.endsWith("/wait")) return await new Promise<never>(() => {});
          const body = bodyChunks === undefined ? [] : await Array.fromAsync(bodyChunks);
          return new Response(`answer to ${Buffer.concat(body).length} bytes`);
        },
        takesBody: () => takesBody,
        malformed: (fault) => new Response(fault, { status: 400 }),
        received: () => {},
        clock,
        turns,
        http2: () => {},
        isStopping: () => false,
        answered: () => {},
      }),
    ),
  );
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  toClose.push({
    [Symbol.dispose]: () => {
      client.destroy();
      server.close();
    },
  });
  return { client, clock, queued, connection: await accepted.promise };
}

test("a head that arrives in pieces has no more time than others", async () => {
  const { client, connection } = await openConnection();
  client.write("GET");
  await untilSo(() => connection.headSinceMs !== undefined);
  const sinceMs = connection.headSinceMs;

  client.write(" /");
  await untilSo(() => connection.pending.length === 5 && !connection.isBusy);

  expect(connection.headSinceMs).toBe(sinceMs);
});

test("a head has no limit of time while it waits for its turn", async () => {
  const { client, clock, connection, queued } = await openConnection({ hasTime: false });
  client.write("GET");
  await untilSo(() => queued.length === 1);
  queued[0]!.step();
  await untilSo(() => connection.headSinceMs !== undefined);
  const sinceMs = connection.headSinceMs;

  clock.moveMs(5_000);
  client.write(" /");
  await untilSo(() => queued.length === 2);
  const meanwhile = connection.headSinceMs;
  queued[1]!.step();
  await untilSo(() => connection.headSinceMs !== undefined);

  expect(meanwhile).toBeUndefined();
  expect(connection.headSinceMs).toBe(sinceMs);
});

test("an answer has no limit of time because its request came in pieces", async () => {
  const { client, connection } = await openConnection();
  client.write("GET");
  await untilSo(() => connection.headSinceMs !== undefined);

  client.write(" /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  await untilSo(() => connection.gone !== undefined);

  expect(connection.headSinceMs).toBeUndefined();
});

test("the rest of a body has the time of a head", async () => {
  const { client, connection } = await openConnection();

  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
  await untilSo(() => connection.discardBytes === 2 && !connection.isBusy);
  expect(connection.headSinceMs).toBeNumber();

  client.write("{}");
  await untilSo(() => connection.discardBytes === 0 && !connection.isBusy);
  expect(connection.headSinceMs).toBeUndefined();
});

test("the memory of what arrives after the last request is freed at once", async () => {
  const { client, connection } = await openConnection();
  client.write("no request\r\n\r\n");
  await untilSo(() => connection.isLast);
  const later = Buffer.from(new ArrayBuffer(100_000));

  connection.socket.emit("data", later);

  expect(later.length).toBe(0);
});

test("of what arrives at once, a head and a body are kept, and no more is read", async () => {
  const { connection } = await openConnection();

  connection.socket.emit("data", Buffer.alloc(500_000, "x"));

  expect(connection.isLast).toBe(true);
  expect(connection.pending.length).toBeLessThanOrEqual(80 * 1024);
});

test("a connection without traffic is closed", async () => {
  const { connection } = await openConnection();

  connection.socket.emit("timeout");

  expect(connection.socket.destroyed).toBe(true);
});

test("a peer that resets its connection is forgotten", async () => {
  const { client, connection } = await openConnection();
  client.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  await untilSo(() => connection.gone !== undefined);

  client.resetAndDestroy();
  await untilSo(() => connection.socket.destroyed);

  expect(connection.gone?.signal.aborted).toBe(true);
});

test("a peer that keeps its side open is cut off some time after the last response", async () => {
  const { client, clock, connection } = await openConnection();
  client.write("no request\r\n\r\n");
  await untilSo(() => clock.pendingActions > 0);
  const before = connection.socket.destroyed;

  clock.moveMs(5_000);

  expect([before, connection.socket.destroyed]).toEqual([false, true]);
});

test("a request begins in a later turn if this one has no time left", async () => {
  const { client, connection, queued } = await openConnection({ hasTime: false });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await untilSo(() => queued.length > 0);
  const { pending, gone, isBusy } = connection;

  const canFollow = queued[0]!.step();
  const [answer] = await once(client, "data");

  expect({ pending: pending.length > 0, gone, isBusy }).toEqual({
    pending: true,
    gone: undefined,
    isBusy: true,
  });
  expect(canFollow).toBe(false);
  expect(queued.map(({ sender }) => sender)).toEqual(["127.0.0.1"]);
  expect(String(answer)).toStartWith("HTTP/1.1 200 ");
});

test("a body that arrives before the turn of its request is read whole", async () => {
  const bytes = 1024 * 1024;
  const { client, queued } = await openConnection({ hasTime: false, takesBody: true });
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
  client.write(Buffer.alloc(bytes));
  await untilSo(() => queued.length > 0);

  queued[0]!.step();
  const [answer] = await once(client, "data");

  expect(String(answer)).toEndWith(`answer to ${bytes} bytes`);
});

test("a connection of which no more is read stays unread after its turn", async () => {
  const { connection, queued } = await openConnection({ hasTime: false });
  const head = "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n";

  connection.socket.emit("data", Buffer.concat([Buffer.from(head), Buffer.alloc(500_000, "x")]));
  queued[0]!.step();

  expect([connection.isLast, connection.socket.isPaused()]).toEqual([true, true]);
});
