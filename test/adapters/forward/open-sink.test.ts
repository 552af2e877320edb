import { afterEach, expect, test } from "bun:test";
import { ServerCredentials, status } from "@grpc/grpc-js";
import { readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { join } from "node:path";
import { openSpanSink } from "../../../src/adapters/forward/open-sink.ts";
import type { Environment } from "../../../src/config/config.ts";
import type { SpanSink } from "../../../src/ports/span-sink.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";
import { forwardConfig } from "../../support/fakes/forward-config.ts";
import {
  grpcFailure,
  grpcSuccess,
  startGrpcUpstream,
} from "../../support/upstreams/grpc-upstream.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { startHttpUpstream } from "../../support/upstreams/http-upstream.ts";
import { exportFailure, exportSuccess } from "../../support/upstreams/otlp-receiver.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const { authority, server, stranger } = makeCertificates();
const CA = join(folder, "ca.pem");
writeFileSync(CA, authority.cert);

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const PARTS = {
  version: "1.2.3",
  nowMs: () => NOW_MS,
  clock: new HandMovedClock(),
  logger: new RecordingLogger(),
  loadKafka: () => import("../../../src/adapters/forward/kafka-client.js"),
};

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function openSink(env: Environment): Promise<SpanSink> {
  const forward = forwardConfig(env);
  const opening = await openSpanSink({ ...PARTS, forward });
  if (!opening.ok) throw new Error(JSON.stringify(opening.mistakes));
  ends.push(() => opening.sink.close());
  return opening.sink;
}

test.each(["grpc", "http"])("%s:// with FORWARD_PROTOCOL=grpc is plain gRPC", async (scheme) => {
  const upstream = await startGrpcUpstream(() => grpcSuccess());
  ends.push(() => upstream.stop());
  const sink = await openSink({
    FORWARD_ENDPOINT: `${scheme}://127.0.0.1:${upstream.port}`,
    FORWARD_PROTOCOL: "grpc",
    FORWARD_HEADERS: "api-key=a%20b",
  });

  const outcome = await sink.send(batchOf(1), never);

  expect(outcome).toEqual({ outcome: "delivered" });
  const [{ metadata }] = upstream.requests as [(typeof upstream.requests)[number]];
  expect(metadata.get("api-key")).toEqual(["a b"]);
  expect(String(metadata.get("user-agent"))).toStartWith("spanring/1.2.3 ");
});

test("grpcs:// is gRPC with TLS", async () => {
  const pair = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) };
  const credentials = ServerCredentials.createSsl(null, [pair]);
  const upstream = await startGrpcUpstream(() => grpcSuccess(), { credentials });
  ends.push(() => upstream.stop());
  const env = { FORWARD_ENDPOINT: `grpcs://localhost:${upstream.port}`, FORWARD_TLS_CA_FILE: CA };

  const sink = await openSink(env);

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
});

const accept = () => exportSuccess("application/x-protobuf");

test("http:// is OTLP/HTTP with the default path", async () => {
  const upstream = startHttpUpstream(accept);
  ends.push(() => upstream.stop());
  const sink = await openSink({
    FORWARD_ENDPOINT: `http://127.0.0.1:${upstream.port}?key=secret`,
    FORWARD_COMPRESSION: "zstd",
    FORWARD_HEADERS: "api-key=a%20b",
  });

  const outcome = await sink.send(batchOf(1), never);

  expect(outcome).toEqual({ outcome: "delivered" });
  expect(upstream.requests[0]!.path).toBe("/v1/traces?key=secret");
  expect(Object.fromEntries(upstream.requests[0]!.headers)).toMatchObject({
    "api-key": "a b",
    "content-encoding": "zstd",
    "user-agent": "spanring/1.2.3",
  });
});

const HEADERS_FILE = join(folder, "headers");
writeFileSync(HEADERS_FILE, "authorization=Bearer%20t0k3n-of-file");
const SECRETS = { FORWARD_HEADERS: "api-key=k3y", FORWARD_HEADERS_FILE: HEADERS_FILE };

test("secrets that an HTTP upstream repeats are concealed", async () => {
  const upstream = startHttpUpstream(() => exportFailure(403, "t0k3n-of-file is not of s3cret"));
  ends.push(() => upstream.stop());
  const endpoint = `http://127.0.0.1:${upstream.port}/?key=s3cret`;

  const sink = await openSink({ ...SECRETS, FORWARD_ENDPOINT: endpoint });

  const { message } = await sink.send(batchOf(1), never);
  expect(message).toBe("403: *** is not of ***");
});

test("secrets that a gRPC upstream repeats are concealed", async () => {
  const denied = grpcFailure(status.PERMISSION_DENIED, "not Bearer t0k3n-of-file");
  const upstream = await startGrpcUpstream(() => denied);
  ends.push(() => upstream.stop());
  const endpoint = `grpc://127.0.0.1:${upstream.port}`;

  const sink = await openSink({ ...SECRETS, FORWARD_ENDPOINT: endpoint });

  const { message } = await sink.send(batchOf(1), never);
  expect(message).toBe("PERMISSION_DENIED: not ***");
});

test("an invalid HTTP answer does not reveal the URL", async () => {
  const upstream = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write("HTTP/1.1 nonsense\r\n\r\n"));
  });
  await new Promise<void>((listening) => upstream.listen(0, "127.0.0.1", listening));
  ends.push(() => upstream.close());
  const { port } = upstream.address() as AddressInfo;

  const sink = await openSink({ FORWARD_ENDPOINT: `http://127.0.0.1:${port}/?key=s3cret` });

  expect(await sink.send(batchOf(1), never)).toEqual({
    outcome: "retry",
    message: "Malformed_HTTP_Response: its response is not HTTP/1.1",
  });
});

test("a replaced token is used after the upstream has refused the old one", async () => {
  const file = join(folder, "rotated");
  writeFileSync(file, "authorization=old-token");
  const upstream = startHttpUpstream(({ headers }) =>
    headers.get("authorization") === "new-token" ? accept() : exportFailure(401, "not old-token"),
  );
  ends.push(() => upstream.stop());
  const endpoint = `http://127.0.0.1:${upstream.port}`;
  const sink = await openSink({ FORWARD_ENDPOINT: endpoint, FORWARD_HEADERS_FILE: file });

  const before = await sink.send(batchOf(1), never);
  writeFileSync(file, "authorization=new-token");
  const after = await sink.send(batchOf(1), never);

  expect([before.message, after]).toEqual(["401: not ***", { outcome: "delivered" }]);
});

test.each(["grpcs", "https"])("a replaced authority is used with %s", async (scheme) => {
  const file = join(folder, "rotated.pem");
  writeFileSync(file, stranger.cert);
  const pair = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) };
  const upstream = await (scheme === "grpcs"
    ? startGrpcUpstream(() => grpcSuccess(), {
        credentials: ServerCredentials.createSsl(null, [pair]),
      })
    : startHttpUpstream(accept, { tls: { cert: server.cert, key: server.key } }));
  ends.push(() => upstream.stop());
  const endpoint = `${scheme}://localhost:${upstream.port}`;
  const sink = await openSink({ FORWARD_ENDPOINT: endpoint, FORWARD_TLS_CA_FILE: file });

  const before = await sink.send(batchOf(1), never);
  writeFileSync(file, authority.cert);
  const after = await sink.send(batchOf(1), never);

  expect([before.outcome, after]).toEqual(["retry", { outcome: "delivered" }]);
});

test("https:// is OTLP/HTTP with TLS", async () => {
  const upstream = startHttpUpstream(accept, { tls: { cert: server.cert, key: server.key } });
  ends.push(() => upstream.stop());
  const env = { FORWARD_ENDPOINT: `https://localhost:${upstream.port}`, FORWARD_TLS_CA_FILE: CA };

  const sink = await openSink(env);

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
});

test("file:/// is a rotating file", async () => {
  const sink = await openSink({
    FORWARD_ENDPOINT: `file://${folder}/spans.jsonl`,
    FORWARD_FILE_MAX_BYTES: "4KiB",
  });

  for (let at = 0; at < 2; at += 1) await sink.send(batchOf(60), never);

  const names = readdirSync(folder).filter((name) => name.startsWith("spans"));
  expect(names.toSorted()).toEqual(["spans-2026-01-02T03-04-05.678Z.jsonl", "spans.jsonl"]);
});

test("mistakes in the files are returned instead of a sink", async () => {
  const forward = forwardConfig({
    FORWARD_ENDPOINT: "https://up",
    FORWARD_TLS_CA_FILE: "nowhere.pem",
  });

  const opening = await openSpanSink({ ...PARTS, forward });

  expect(opening).toMatchObject({ ok: false, mistakes: [{ variable: "FORWARD_TLS_CA_FILE" }] });
});

function fileOf(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const login = (password: string): Environment => ({
  FORWARD_SASL_MECHANISM: "PLAIN",
  FORWARD_SASL_USERNAME_FILE: fileOf("user", "edge"),
  FORWARD_SASL_PASSWORD_FILE: fileOf("password", password),
});

test("kafka:// is a topic of Kafka, with the headers and the credentials of files", async () => {
  const sasl = { mechanism: "PLAIN", bytes: "\0edge\0hunter2", refusal: "no" };
  const broker = await startKafkaBroker({ sasl });
  ends.push(() => broker.stop());
  const sink = await openSink({
    ...login("hunter2\n"),
    FORWARD_ENDPOINT: `kafka://127.0.0.1:${broker.port}/spans`,
    FORWARD_HEADERS: "tenant=a%20b",
    FORWARD_COMPRESSION: "none",
  });

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
  expect(broker.messages.map(({ headers }) => headers)).toEqual([[["tenant", "a b"]]]);
  expect(broker.batches.map(({ codec }) => codec)).toEqual([0]);
});

test("a broker that quotes the password does not bring it into a message", async () => {
  const sasl = { mechanism: "PLAIN", bytes: "", refusal: "edge may not use hunter2" };
  const broker = await startKafkaBroker({ sasl });
  ends.push(() => broker.stop());
  const FORWARD_ENDPOINT = `kafka://127.0.0.1:${broker.port}/spans`;
  const sink = await openSink({ ...login("hunter2"), FORWARD_ENDPOINT });

  const { message } = await sink.send(batchOf(1), never);

  expect(message).toBe("SASL_AUTHENTICATION_FAILED (topic spans): edge may not use ***");
});

test("kafkas:// is a topic of Kafka with TLS", async () => {
  const broker = await startKafkaBroker({});
  ends.push(() => broker.stop());
  const { key, cert } = server;
  const front = createTlsServer({ key, cert }, (socket) => {
    const plain = connect(broker.port, "127.0.0.1");
    for (const end of [socket, plain]) end.on("error", () => {});
    socket.pipe(plain).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  ends.push(() => front.close());
  const { port } = front.address() as AddressInfo;
  Object.assign(broker.shown, { host: "localhost", port });
  const env = { FORWARD_ENDPOINT: `kafkas://localhost:${port}/spans`, FORWARD_TLS_CA_FILE: CA };

  const sink = await openSink(env);

  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
  const trusting = await openSink({ FORWARD_ENDPOINT: env.FORWARD_ENDPOINT });
  expect(await trusting.send(batchOf(1), never)).toMatchObject({
    outcome: "retry",
    hint: expect.stringContaining("FORWARD_TLS_CA_FILE"),
  });
});
