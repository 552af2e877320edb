import { expect, test } from "bun:test";
import { EventEmitter, once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { performServerHandshake } from "node:http2";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type AddressInfo, connect, createServer } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { nextTurn } from "../support/running/searched-ring.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";

// Goal: each workaround for the runtime can be deleted once it is no longer needed.
// Method: each test shows one quirk of Bun, and fails once Bun has fixed it; its comment names the
// code to delete then.

const OPTIONS = { hostname: "127.0.0.1", port: 0, development: false, fetch: () => new Response() };

const TYPE_AT = 3;
const GO_AWAY = 7;

// adapters/otlp/inflate.ts, areWholeZstdFrames()
test("a zstd frame that was cut short is decompressed without an error", () => {
  const frame = zstdCompressSync(Buffer.from("one two three"));

  expect(zstdDecompressSync(frame.subarray(0, frame.length - 3)).length).toBeLessThan(13);
});

// adapters/otlp-http/otlp-http-listener.ts and adapters/read-api/read-api.ts, `reusePort: false`
test("two servers without development mode share a port by default", async () => {
  const first = Bun.serve(OPTIONS);
  const second = Bun.serve({ ...OPTIONS, port: first.port ?? 0 });

  expect(second.port).toBe(first.port);
  await Promise.all([first.stop(true), second.stop(true)]);
});

// adapters/otlp-grpc/paced-socket.ts, end()
test("a session over a stream that is no socket is destroyed without a GOAWAY", async () => {
  const written: Uint8Array[] = [];
  const peer = Object.assign(new EventEmitter(), {
    write: (bytes: Uint8Array) => written.push(Buffer.from(bytes)) > 0,
    resume: () => {},
    end: () => {},
  });
  const session = performServerHandshake(peer as unknown as Duplex);
  await new Promise((resolve) => void setImmediate(resolve));

  session.destroy();
  await new Promise((resolve) => void setImmediate(resolve));

  expect(written.map((frame) => frame[TYPE_AT])).not.toContain(GO_AWAY);
});

function listenNowhere(): void {
  Bun.serve({ ...OPTIONS, hostname: "nowhere.invalid" });
}

// adapters/listening/served-port.ts, requireResolvable()
test("the error for a host that does not resolve does not say so", () => {
  expect(listenNowhere).toThrow(
    expect.objectContaining({ code: expect.not.stringMatching("ENOTFOUND") }),
  );
});

const TWO_REQUESTS = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);

function receive(port: number, requests: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let received = "";
  socket.on("data", (bytes) => void (received += bytes.toString()));
  socket.write(requests);
  return new Promise((resolve) => socket.once("close", () => resolve(received)));
}

// adapters/read-api/http1/
test("Bun.serve closes a connection when a request follows one that is not answered", async () => {
  const server = Bun.serve({
    ...OPTIONS,
    fetch: async () => {
      await new Promise((resolve) => void setImmediate(resolve));
      return new Response("answer");
    },
  });

  expect(await receive(server.port ?? 0, TWO_REQUESTS)).toBe("");
  await server.stop(true);
});

// adapters/read-api/http1/
test("node:http starts all requests of a connection at once, however many", async () => {
  let begun = 0;
  const allBegun = Promise.withResolvers<void>();
  const server = createHttpServer(() => void ((begun += 1) === 5_000 && allBegun.resolve()));
  server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.address() as AddressInfo;

  const closed = receive(port, TWO_REQUESTS.repeat(2_500));
  await allBegun.promise;

  expect(begun).toBe(5_000);
  server.closeAllConnections();
  server.close();
  await closed;
});

// adapters/listening/port-handover.ts
test("a server that is given another certificate keeps its old one", async () => {
  const { server: first, renewed } = makeCertificates();
  const server = Bun.serve({ ...OPTIONS, tls: { cert: first.cert, key: first.key } });
  const tls = { cert: renewed.cert, key: renewed.key };

  server.reload({ ...OPTIONS, tls });
  const socket = connectTls({ port: server.port!, host: "127.0.0.1", rejectUnauthorized: false });
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  const { subject } = socket.getPeerCertificate();
  await server.stop(true);

  expect(subject.CN).toBe("server");
});

// adapters/listening/port-handover.ts, instead of `stop()`
test("a server that stops closes connections that wait for their next request", async () => {
  const server = Bun.serve(OPTIONS);
  const socket = connect(server.port!, "127.0.0.1");
  const answered = new Promise((resolve) => socket.once("data", resolve));
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await answered;

  const closed = new Promise((resolve) => socket.once("close", () => resolve("closed")));
  void server.stop();

  expect(await closed).toBe("closed");
});

// adapters/listening/secure-socket.ts
test("TLS on a socket overlooks bytes that were pushed back", async () => {
  const { authority, server: own } = makeCertificates();
  const secureContext = createSecureContext({ cert: own.cert, key: own.key });
  const seen: string[] = [];
  const server = createServer((raw) => {
    raw.once("data", (bytes) => {
      raw.pause();
      raw.unshift(bytes);
      const socket = new TLSSocket(raw, { isServer: true, secureContext });
      socket.on("error", () => {});
      socket.once("secure", () => seen.push("secure"));
      raw.resume();
      setImmediate(() => setImmediate(() => raw.destroy()));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = connectTls({ port, host: "127.0.0.1", ca: authority.cert });
  client.on("error", () => {});
  await new Promise((resolve) => client.once("close", resolve));
  server.close();

  expect(seen).toEqual([]);
});

// adapters/otlp-grpc/accepted-sockets.ts; and closing-queue.ts, which paces closing, not accepting
test("all connections that wait are accepted in one turn of the event loop", async () => {
  const turns: number[] = [];
  let turn = 0;
  const server = createServer(() => turns.push(turn)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  // They wait because the event loop does not turn in between.
  const peers = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
  for (; turns.length < 100; turn += 1) await nextTurn();
  for (const peer of peers) peer.destroy();
  server.close();

  expect(new Set(turns).size).toBe(1);
});

// .github/SECURITY.md, the longest block under silent connections
test("all connections that were closed are ended in one turn of the event loop", async () => {
  const [turns, accepted]: [number[], unknown[]] = [[], []];
  let turn = 0;
  const server = createServer((socket) => {
    accepted.push(socket.once("end", () => turns.push(turn)).resume());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const peers = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
  await Promise.all(peers.map((peer) => once(peer, "connect")));
  while (accepted.length < 100) await nextTurn();

  for (const peer of peers) peer.destroy();
  for (; turns.length < 100; turn += 1) await nextTurn();
  server.close();

  expect(new Set(turns).size).toBe(1);
});

// adapters/memory/collection-pace.ts, returnFree
test("a full collection keeps the blocks of dead objects", () => {
  const program = join(import.meta.dir, "../support/processes/collect-dead-objects.ts");

  const { stdout } = Bun.spawnSync([process.execPath, program]);
  const { collected, returned } = JSON.parse(stdout.toString());

  expect(collected - returned).toBeGreaterThan(5_000_000);
});
