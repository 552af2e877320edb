import { expect, test } from "bun:test";
import { Socket } from "node:net";
import {
  addToBody,
  beginBody,
  chunksOf,
} from "../../../../src/adapters/read-api/http1/body-chunks.ts";
import type { Http1Request } from "../../../../src/adapters/read-api/http1/connection.ts";
import {
  openPeer,
  runHttp1Server,
  stopHttp1ServersAfterEach,
  untilSo,
  untilStill,
} from "../../../support/running/running-http1-server.ts";

stopHttp1ServersAfterEach();

/** Starts a server whose handler reads bodies of POST. */
function runUploads(read: (request: Http1Request) => Promise<string>) {
  return runHttp1Server({
    takesBody: ({ method }) => method === "POST",
    answer: async (request) => new Response(await read(request)),
  });
}

async function bytesIn({ bodyChunks }: Http1Request): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bodyChunks!));
}

function post(lengthBytes: number, ...fields: string[]): string {
  const head = ["POST / HTTP/1.1", "Host: localhost", `Content-Length: ${lengthBytes}`, ...fields];
  return `${head.join("\r\n")}\r\n\r\n`;
}

/** Returns bytes of which each position has its own value, so that no part can be mistaken. */
function pattern(lengthBytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: lengthBytes / 4 }, (_, at) => at).buffer);
}

test.each([0, 4, 100_000, 4_000_000])("a body of %d bytes arrives whole", async (length) => {
  const sent = pattern(length);
  const { server } = runUploads(async (request) => {
    return String((await bytesIn(request)).equals(sent));
  });
  const peer = await openPeer(server);

  peer.socket.write(Buffer.concat([Buffer.from(post(length)), sent]));

  expect(await peer.closed).toEndWith("\r\n\r\ntrue");
});

test("a body that arrives after its head, in pieces, is whole", async () => {
  const { server, seen } = runUploads(async (request) => (await bytesIn(request)).toString());
  const peer = await openPeer(server);
  const write = (text: string) => new Promise((resolve) => peer.socket.write(text, resolve));

  for (const piece of [post(6), "ab", "cd", "ef"]) await write(piece);

  expect(await peer.closed).toEndWith("\r\n\r\nabcdef");
  expect(seen.begun).toBe(0);
});

test("a slow reader stops the socket, so that little is held", async () => {
  const reading = Promise.withResolvers<void>();
  const { server } = runUploads(async (request) => {
    await reading.promise;
    return String((await bytesIn(request)).length);
  });
  const peer = await openPeer(server);
  const length = 64 * 1024 * 1024;

  peer.socket.write(Buffer.concat([Buffer.from(post(length)), Buffer.alloc(length)]));
  await untilStill(() => peer.socket.writableLength);
  const unsentBytes = peer.socket.writableLength;
  reading.resolve();

  expect(unsentBytes).toBeGreaterThan(length / 2);
  expect(await peer.closed).toEndWith(`\r\n\r\n${length}`);
});

test("a body whose peer goes away ends with an error", async () => {
  const failed: unknown[] = [];
  const { server } = runUploads(async (request) => {
    await bytesIn(request).catch((error: unknown) => failed.push(error));
    return "";
  });
  const peer = await openPeer(server);

  peer.socket.write(`${post(10)}abc`);
  await untilSo(() => server.requestsInFlight === 1);
  peer.socket.destroy();
  await untilSo(() => failed.length === 1);

  expect(failed).toEqual([new Error("the connection was closed before the end")]);
});

test("a peer that waits for permission to send gets it", async () => {
  const { server } = runUploads(async (request) => (await bytesIn(request)).toString());
  const peer = await openPeer(server);

  peer.socket.write(post(3, "Expect: 100-continue"));
  await peer.until((text) => text.includes("100 Continue\r\n\r\n"));
  peer.socket.write("abc");

  expect(await peer.closed).toEndWith("\r\n\r\nabc");
});

test("bytes behind a body are no part of it, and the connection ends with it", async () => {
  const { server } = runUploads(async (request) => (await bytesIn(request)).toString());
  const peer = await openPeer(server);

  peer.socket.write(`${post(3)}abcGET / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const text = await peer.closed;

  expect(text).toEndWith("\r\n\r\nabc");
  expect(text).toContain("Connection: close");
});

test("a handler that does not read the body answers at once", async () => {
  const { server } = runUploads(async () => "no");
  const peer = await openPeer(server);

  peer.socket.write(`${post(1_000_000)}abc`);

  expect(await peer.until((text) => text.endsWith("no"))).toContain("200");
});

test("an unread body stops the socket at once; later only much held data does", async () => {
  const socket = new Socket();
  const body = beginBody(1_000_000);

  addToBody(body, new Uint8Array(1), socket);
  const isStoppedBefore = socket.isPaused();
  const chunks = chunksOf(body, socket, false);
  await chunks.next();
  const next = chunks.next();
  const isStoppedWhileRead = socket.isPaused();
  addToBody(body, new Uint8Array(1), socket);
  await next;
  addToBody(body, new Uint8Array(1), socket);
  const isStoppedByLittle = socket.isPaused();
  addToBody(body, new Uint8Array(300_000), socket);

  expect([isStoppedBefore, isStoppedWhileRead, isStoppedByLittle, socket.isPaused()]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
