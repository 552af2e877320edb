import { afterEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import {
  type Http1Server,
  startHttp1Server,
} from "../../../../src/adapters/read-api/http1/http1-server.ts";
import { STREAMED } from "../../../../src/adapters/read-api/http1/send-response.ts";
import { MAX_HEAD_BYTES } from "../../../../src/adapters/read-api/http1/request-head.ts";

// Goal: no connection takes more than its share.
// Method: real sockets, and a handler whose responses the test controls.

const servers: Http1Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.abort();
});

const CHUNK = new Uint8Array(64 * 1024).fill(0x61);

function serve() {
  const seen = { begun: 0, gone: 0, chunks: 0, cancelled: 0 };
  const body = (chunkCount: number) =>
    new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await new Promise((resolve) => void setImmediate(resolve));
          if (seen.chunks === chunkCount * seen.begun) return controller.close();
          seen.chunks += 1;
          controller.enqueue(CHUNK.slice());
        },
        cancel: () => void (seen.cancelled += 1),
      },
      { highWaterMark: 0 },
    );
  const server = startHttp1Server({
    address: { host: "127.0.0.1", port: 0 },
    answer: async ({ url, signal }) => {
      seen.begun += 1;
      signal.addEventListener("abort", () => void (seen.gone += 1));
      const { pathname } = new URL(url, "http://localhost");
      if (pathname === "/wait") return await new Promise<never>(() => {});
      if (pathname === "/large") return new Response(body(200), { headers: STREAMED });
      return new Response(`answer ${seen.begun}`);
    },
    malformed: (fault) => new Response(fault, { status: 400 }),
    received: () => {},
    http2: (socket) => socket.end("HTTP/2"),
  });
  servers.push(server);
  return { server, seen };
}

async function open({ port }: Http1Server) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  sockets.push(socket);
  let received = "";
  let wake: (() => void) | undefined;
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString("latin1");
    wake?.();
  });
  await new Promise<void>((resolve) => void socket.once("connect", () => resolve()));
  const until = (isSo: (text: string) => boolean): Promise<string> =>
    new Promise((resolve) => {
      wake = () => void (isSo(received) && resolve(received));
      wake();
    });
  return { socket, closed, until };
}

async function untilSo(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves when both sockets are full, and nothing moves any more. */
async function untilStill(value: () => number): Promise<void> {
  for (let [last, rounds] = [-1, 0]; rounds < 1_000; rounds += 1) {
    if (value() !== last) [last, rounds] = [value(), 0];
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const END = "\r\n0\r\n\r\n";
const count = (text: string, part: string) => text.split(part).length - 1;

test("two large responses on one connection arrive whole, one after the other", async () => {
  const { server, seen } = serve();
  const { socket, until } = await open(server);

  socket.write(get("/large").repeat(2));
  const text = await until(
    (received) => received.length > 400 * CHUNK.length && received.endsWith(END),
  );

  expect(count(text, END)).toBe(2);
  expect(seen).toEqual({ begun: 2, gone: 0, chunks: 400, cancelled: 0 });
});

test("a peer that reads nothing has one request and a few chunks under way", async () => {
  const { server, seen } = serve();
  const { socket, until } = await open(server);

  socket.write(get("/large").repeat(16));
  await until((received) => received.length > 0);
  socket.pause();
  await untilStill(() => seen.chunks);

  expect(seen.begun).toBe(1);
  expect(seen.chunks).toBeLessThan(200);
  socket.destroy();
  await untilSo(() => seen.cancelled === 1);
  expect(server.requestsInFlight).toBe(0);
});

test("a connection has one turn in each round, however many requests it sends", async () => {
  const { server, seen } = serve();
  const { socket } = await open(server);
  const begunByRound: number[] = [];

  socket.write(get("/small").repeat(300));
  while (seen.begun < 300) {
    const before = seen.begun;
    await new Promise((resolve) => void setImmediate(resolve));
    begunByRound.push(seen.begun - before);
  }

  expect(Math.max(...begunByRound)).toBeLessThanOrEqual(2);
});

test("a peer that sends more than fits while it waits for a response is closed", async () => {
  const { server, seen } = serve();
  const { socket, closed } = await open(server);

  socket.write(get("/small").repeat(10_000));
  const text = await closed;

  expect(count(text, "HTTP/1.1 200 OK")).toBe(seen.begun);
  expect(seen.begun).toBeLessThan((2 * MAX_HEAD_BYTES) / get("/small").length);
});

test("a request whose peer has gone is aborted", async () => {
  const { server, seen } = serve();
  const { socket } = await open(server);
  socket.write(get("/wait"));
  await untilSo(() => server.requestsInFlight === 1);

  socket.end();
  await untilSo(() => seen.gone === 1);

  expect(seen.begun).toBe(1);
});

test("a body is discarded, and the next request is answered", async () => {
  const { server } = serve();
  const { socket, until } = await open(server);

  socket.write("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n");
  socket.write(Buffer.alloc(20_000, "GET / HTTP/1.1\r\n\r\n"));
  await until((received) => received.includes("answer 1"));
  socket.write(Buffer.alloc(20_000));
  socket.write(get("/b"));

  expect(await until((received) => received.includes("answer 2"))).toContain("content-length: 8");
});

test.each([
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
])("the connection ends with the response to %j", async (request) => {
  const { server } = serve();
  const { socket, closed } = await open(server);

  socket.write(request + get("/b"));
  const text = await closed;

  expect(count(text, "HTTP/1.1 200 OK")).toBe(1);
  expect(text).toContain("Connection: close\r\n");
});

test("a body that looks like HTTP/2 is discarded", async () => {
  const { server } = serve();
  const { socket, until } = await open(server);
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${preface.length}\r\n\r\n`);
  await until((text) => text.includes("answer 1"));

  socket.write(preface);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  const text = await until((received) => /HTTP\/2|answer 2/.test(received));
  expect(text).toEndWith("answer 2");
});

test("a malformed head is answered with 400, and the connection ends", async () => {
  const { server, seen } = serve();
  const { socket, closed } = await open(server);

  socket.write("nonsense\r\n\r\n");

  expect(await closed).toStartWith("HTTP/1.1 400 Bad Request\r\n");
  expect(seen.begun).toBe(0);
});

test("a response to HEAD has the length of the body, and no body", async () => {
  const { server } = serve();
  const { socket, until } = await open(server);

  socket.write(`HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n${get("/b")}`);
  const text = await until((received) => received.includes("answer 2"));

  expect(text).not.toContain("answer 1");
  expect(count(text, "ontent-")).toBeGreaterThanOrEqual(2);
});

test("a response to HTTP/1.0 is not chunked", async () => {
  const { server } = serve();
  const { socket, closed } = await open(server);

  socket.write("GET /large HTTP/1.0\r\n\r\n");
  const [head = "", body] = (await closed).split("\r\n\r\n");

  expect(head.toLowerCase()).not.toContain("chunked");
  expect(body).toHaveLength(200 * CHUNK.length);
});

test("HTTP/2 is handed over", async () => {
  const { server } = serve();
  const { socket, closed } = await open(server);

  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

  expect(await closed).toBe("HTTP/2");
});

test("a stop closes unused connections, and sends what is under way", async () => {
  const { server } = serve();
  const [unused, reading] = [await open(server), await open(server)];
  reading.socket.write(get("/large"));
  await reading.until((received) => received.length > 0);

  const stopped = server.stop();

  expect(await unused.closed).toBe("");
  expect(await reading.closed).toEndWith(END);
  await stopped;
});

test("a stop is not delayed by requests that follow the one under way", async () => {
  const { server, seen } = serve();
  const { socket, closed, until } = await open(server);
  socket.write(get("/large") + get("/small").repeat(20));
  await until((received) => received.length > 0);

  await server.stop();
  await closed;

  expect(seen.begun).toBeLessThanOrEqual(2);
});
