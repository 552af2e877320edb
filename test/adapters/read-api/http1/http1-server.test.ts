import { expect, test } from "bun:test";
import { MAX_HEAD_BYTES } from "../../../../src/adapters/read-api/http1/request-head.ts";
import {
  CHUNK,
  get,
  openPeer,
  runHttp1Server,
  stopHttp1ServersAfterEach,
  untilSo,
  untilStill,
} from "../../../support/running/running-http1-server.ts";

// Goal: no connection takes more than its share.
// Method: real sockets, and a handler whose responses the test controls.

stopHttp1ServersAfterEach();

const END = "\r\n0\r\n\r\n";
const count = (text: string, part: string) => text.split(part).length - 1;

test("two large responses on one connection arrive whole, one after the other", async () => {
  const { server, seen } = runHttp1Server();
  const { socket, until } = await openPeer(server);

  socket.write(get("/large").repeat(2));
  const text = await until(
    (received) => received.length > 400 * CHUNK.length && received.endsWith(END),
  );

  expect(count(text, END)).toBe(2);
  expect(seen).toEqual({ begun: 2, gone: 0, chunks: 400, cancelled: 0 });
});

test("a peer that reads nothing has one request and a few chunks under way", async () => {
  const { server, seen } = runHttp1Server();
  const { socket, until } = await openPeer(server);

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
  const { server, seen } = runHttp1Server();
  const { socket } = await openPeer(server);
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
  const { server, seen } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.write(get("/small").repeat(10_000));
  const text = await closed;

  expect(count(text, "HTTP/1.1 200 OK")).toBe(seen.begun);
  expect(seen.begun).toBeLessThan((2 * MAX_HEAD_BYTES) / get("/small").length);
});

test("a request whose peer has gone is aborted", async () => {
  const { server, seen } = runHttp1Server();
  const { socket } = await openPeer(server);
  socket.write(get("/wait"));
  await untilSo(() => server.requestsInFlight === 1);

  socket.resetAndDestroy();
  await untilSo(() => seen.gone === 1);

  expect(seen.begun).toBe(1);
});

test("a body is discarded, and the next request is answered", async () => {
  const { server } = runHttp1Server();
  const { socket, until } = await openPeer(server);

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
  const { server } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.write(request + get("/b"));
  const text = await closed;

  expect(count(text, "HTTP/1.1 200 OK")).toBe(1);
  expect(text).toContain("Connection: close\r\n");
});

test("a body that looks like HTTP/2 is discarded", async () => {
  const { server } = runHttp1Server();
  const { socket, until } = await openPeer(server);
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${preface.length}\r\n\r\n`);
  await until((text) => text.includes("answer 1"));

  socket.write(preface);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  const text = await until((received) => /HTTP\/2|answer 2/.test(received));
  expect(text).toEndWith("answer 2");
});

test("a malformed head is answered with 400, and the connection ends", async () => {
  const { server, seen } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.write("nonsense\r\n\r\n");

  expect(await closed).toStartWith("HTTP/1.1 400 Bad Request\r\n");
  expect(seen.begun).toBe(0);
});

test("a response to HEAD has the length of the body, and no body", async () => {
  const { server } = runHttp1Server();
  const { socket, until } = await openPeer(server);

  socket.write(`HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n${get("/b")}`);
  const text = await until((received) => received.includes("answer 2"));

  expect(text).not.toContain("answer 1");
  expect(count(text, "ontent-")).toBeGreaterThanOrEqual(2);
});

test("a response to HTTP/1.0 is not chunked", async () => {
  const { server } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.write("GET /large HTTP/1.0\r\n\r\n");
  const [head = "", body] = (await closed).split("\r\n\r\n");

  expect(head.toLowerCase()).not.toContain("chunked");
  expect(body).toHaveLength(200 * CHUNK.length);
});

test("HTTP/2 is handed over", async () => {
  const { server } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

  expect(await closed).toBe("HTTP/2");
});

test("a stop closes unused connections, and sends what is under way", async () => {
  const { server } = runHttp1Server();
  const [unused, reading] = [await openPeer(server), await openPeer(server)];
  reading.socket.write(get("/large"));
  await reading.until((received) => received.length > 0);

  const stopped = server.stop();

  expect(await unused.closed).toBe("");
  expect(await reading.closed).toEndWith(END);
  await stopped;
});

test("a stop is not delayed by requests that follow the one under way", async () => {
  const { server, seen } = runHttp1Server();
  const { socket, closed, until } = await openPeer(server);
  socket.write(get("/large") + get("/small").repeat(20));
  await until((received) => received.length > 0);

  await server.stop();
  await closed;

  expect(seen.begun).toBeLessThanOrEqual(2);
});
