import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { type ChannelCredentials, Client, credentials, status } from "@grpc/grpc-js";
import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { CLOSING_INTERVAL_MS } from "../../../src/adapters/otlp-grpc/closing-queue.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  GRPC_TEST_LIMITS,
  runGrpcListener,
  type RunningGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { type Certificate, makeCertificates } from "../../support/upstreams/certificates.ts";
import { serverTls, tlsMaterial } from "../../support/upstreams/tls-material.ts";

// Time passes when a test says so: on a busy machine a handshake may take longer than any limit.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

stopGrpcListenersAfterEach();

const CERTIFICATES = makeCertificates();
const { authority, server, client, stranger, renewed } = CERTIFICATES;
const EMPTY = Buffer.alloc(0);

const ends: { end(): unknown }[] = [];

afterEach(() => {
  for (const each of ends.splice(0)) each.end();
});

function ownCredentials(own?: Certificate): ChannelCredentials {
  const [key, cert] = own === undefined ? [null, null] : [own.key, own.cert].map(Buffer.from);
  return credentials.createSsl(Buffer.from(authority.cert), key!, cert!);
}

/** Opens a gRPC client over TLS, with a connection of its own. */
function secureClient({ listener }: RunningGrpcListener, own?: Certificate): Client {
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const opened = new Client(`localhost:${listener.port}`, ownCredentials(own), options);
  ends.push({ end: () => opened.close() });
  return opened;
}

/** Connects with TLS; resolves to the socket, or to the code of the error. */
async function handshake(
  { listener }: RunningGrpcListener,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const ca = authority.cert;
  const socket = connectTls({ port: listener.port, host: "127.0.0.1", ca, ...options });
  ends.push({ end: () => socket.destroy() });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => {
    for (const event of ["secureConnect", "close"]) socket.once(event, () => resolve());
  });
  return socket;
}

/** Connects without TLS and sends these bytes. */
function plainPeer({ listener }: RunningGrpcListener, text = ""): Socket {
  const socket = connectSocket(listener.port, "127.0.0.1").resume();
  socket.on("error", () => {});
  ends.push({ end: () => socket.destroy() });
  socket.write(text);
  return socket;
}

async function connections({ listener }: RunningGrpcListener, count: number): Promise<void> {
  while (listener.counts().openConnections !== count) await nextTurn();
}

async function problemsOf({ problems }: RunningGrpcListener) {
  while (Object.keys(countsOf(problems)).length === 0) await nextTurn();
  return countsOf(problems);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

describe("a listener with a certificate", () => {
  test("begins a handshake at once, whether or not the turn has time", async () => {
    const turns = { hasTime: () => false, queue: () => {} } as unknown as FairTurns;
    const run = await runGrpcListener({ tls: serverTls(server), turns });

    expect((await handshake(run)).authorized).toBe(true);
  });

  test("answers calls, small and large, and no call is a problem", async () => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    const calls = secureClient(run);

    const small = await callUnary(calls, EXPORT_PATH, EMPTY);
    const large = await callUnary(calls, EXPORT_PATH, Buffer.alloc(4_000_000));

    expect([small.code, large.code]).toEqual([status.OK, status.OK]);
    expect(run.receiver.requests.map(({ length }) => length)).toEqual([0, 4_000_000]);
    expect(countsOf(run.problems)).toEqual({});
  });

  test("chooses h2, and refuses and records clients that want something else", async () => {
    const run = await runGrpcListener({ tls: serverTls(server) });

    const good = await handshake(run, { ALPNProtocols: ["http/1.1", "h2"] });
    const other = await handshake(run, { ALPNProtocols: ["http/1.1"] });

    expect(good.alpnProtocol).toBe("h2");
    expect(other.destroyed).toBe(true);
    expect(await problemsOf(run)).toEqual({ tls_handshake: 1 });
  });

  test.each([
    { name: "HTTP/1.1", text: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
    { name: "HTTP/2", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
  ])("closes a connection with $name but without TLS, and records it", async ({ text }) => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    const peer = plainPeer(run, text);

    const [problems] = await Promise.all([problemsOf(run), closed(peer)]);

    expect(problems).toEqual({ plaintext: 1 });
  });

  test("answers HTTP/1.1 within TLS with the right port", async () => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    const peer = await handshake(run);
    const answer = new Promise<string>((resolve) => peer.once("data", (b) => resolve(String(b))));

    peer.write("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n");

    expect(await answer).toContain("this port speaks gRPC with TLS");
    expect(countsOf(run.problems)).toEqual({ http_on_grpc: 1 });
  });

  test("limits connections by address before their handshake", async () => {
    const limits = { connectionsPerAddress: 1 };
    const run = await runGrpcListener({ tls: serverTls(server), limits });
    const first = plainPeer(run);
    await connections(run, 1);

    plainPeer(run);
    while (run.listener.counts().acceptedConnections < 2) await nextTurn();
    // It makes room for the second one, because it has sent nothing.
    jest.advanceTimersByTime(CLOSING_INTERVAL_MS);
    await closed(first);

    expect(countsOf(run.problems)).toEqual({ too_many_connections_per_address: 1 });
  });

  test.each([
    { name: "before its handshake", connect: async (run: RunningGrpcListener) => plainPeer(run) },
    {
      name: "in the middle of its handshake",
      connect: async (run: RunningGrpcListener) => plainPeer(run, "\x16\x03\x01\x02"),
    },
    { name: "after its handshake", connect: handshake },
  ])("closes a connection that is silent $name", async ({ connect }) => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    const peer = await connect(run);
    await connections(run, 1);

    jest.advanceTimersByTime(GRPC_TEST_LIMITS.firstRequestMs);
    await closed(peer);
    await connections(run, 0);

    expect(countsOf(run.problems)).toEqual({ first_request_timeout: 1 });
  });

  test("forgets connections that their peers close", async () => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    const peer = await handshake(run);
    await connections(run, 1);

    peer.end();
    await connections(run, 0);

    expect(countsOf(run.problems)).toEqual({});
  });

  test("stops gently while a client is connected", async () => {
    const run = await runGrpcListener({ tls: serverTls(server) });
    await callUnary(secureClient(run), EXPORT_PATH, EMPTY);

    await run.listener.stop(60_000);

    expect(run.listener.counts().openConnections).toBe(0);
  });

  test("gives new connections the new certificate, and old ones keep theirs", async () => {
    const tls = serverTls(server);
    const run = await runGrpcListener({ tls });
    const calls = secureClient(run);
    await callUnary(calls, EXPORT_PATH, EMPTY);

    tls.use(tlsMaterial(renewed));
    const again = await callUnary(calls, EXPORT_PATH, EMPTY);
    const next = await handshake(run);

    expect(again.code).toBe(status.OK);
    expect(run.listener.counts().openConnections).toBe(2);
    expect(next.getPeerCertificate().subject.CN).toBe("renewed");
  });
});

describe("a listener with an authority for clients", () => {
  test("answers a client with a certificate of this authority", async () => {
    const run = await runGrpcListener({ tls: serverTls(server, authority) });

    const end = await callUnary(secureClient(run, client), EXPORT_PATH, EMPTY);

    expect(end.code).toBe(status.OK);
  });

  test.each([
    { name: "no certificate", own: undefined },
    { name: "a certificate of another authority", own: stranger },
    { name: "a certificate that has expired", own: CERTIFICATES.expired },
  ])("refuses and records a client with $name", async ({ own }) => {
    const run = await runGrpcListener({ tls: serverTls(server, authority) });

    const options = { deadlineMs: 60_000 };
    const ended = callUnary(secureClient(run, own), EXPORT_PATH, EMPTY, options);
    const problems = await problemsOf(run);
    const end = await ended;

    expect(problems).toEqual({ tls_handshake: 1 });
    expect(end.code).toBe(status.UNAVAILABLE);
    expect(run.receiver.requests).toEqual([]);
  });

  test("accepts no client of the old authority after a change", async () => {
    const tls = serverTls(server, authority);
    const run = await runGrpcListener({ tls });

    tls.use(tlsMaterial(server, makeCertificates().authority));
    const ended = callUnary(secureClient(run, client), EXPORT_PATH, EMPTY);

    expect(await problemsOf(run)).toEqual({ tls_handshake: 1 });
    expect((await ended).code).toBe(status.UNAVAILABLE);
  });
});

test("a port without TLS records a client with TLS as before", async () => {
  const run = await runGrpcListener();

  await handshake(run);

  expect(await problemsOf(run)).toEqual({ tls: 1 });
});
