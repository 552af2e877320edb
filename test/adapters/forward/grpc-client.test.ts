import { afterEach, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { GrpcSink, type GrpcSinkParts } from "../../../src/adapters/forward/grpc-sink.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";
import { GRPC_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

const { server } = makeCertificates();
const H2: TlsOptions = { cert: server.cert, key: server.key, ALPNProtocols: ["h2"] };
const ANYBODY = { rejectUnauthorized: false };

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Accepts connections without answering; `ended` resolves when one of them has ended. */
async function startSilent(upstream: Server) {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  upstream.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.once("close", () => resolve("ended"));
    socket.resume();
  });
  await new Promise<void>((listening) => upstream.listen(0, "127.0.0.1", listening));
  ends.push(() => upstream.close());
  return { port: (upstream.address() as AddressInfo).port, ended };
}

function openSink(parts: Pick<GrpcSinkParts, "port" | "tls">): GrpcSink {
  const sink = new GrpcSink({ ...GRPC_PARTS, ...parts, timeoutMs: 30 });
  ends.push(() => sink.close());
  return sink;
}

test.each([
  { name: "in plain text", upstream: () => createServer(), tls: undefined },
  { name: "before TLS", upstream: () => createServer(), tls: ANYBODY },
  { name: "within TLS", upstream: () => createTlsServer(H2), tls: ANYBODY },
])(
  "a connection without an answer $name is closed after the timeout",
  async ({ upstream, tls }) => {
    const { port, ended } = await startSilent(upstream());

    const outcome = await openSink({ port, tls }).send(batchOf(1), never);

    expect(outcome).toMatchObject({ outcome: "retry", isTimeout: true });
    expect(await ended).toBe("ended");
  },
);
