import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { otlpJsonChunks } from "../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { GOLDEN_NAMES, goldenRequest } from "../support/requests/golden-requests.ts";
import { callHttp2, openHttp2 } from "../support/grpc/grpc-http2-call.ts";
import { grpcMessage } from "../support/grpc/grpc-wire.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { traceSpanArbitrary } from "../support/requests/trace-span-arbitrary.ts";

// Goal: readers receive the same spans whichever protocol they were sent over.
// Method: recorded and random requests are sent to one program over every protocol; the spans taken
// after each are compared with the first ones.

const RANDOM_SPANS = 100;

type Send = (program: RunningProgram, request: Uint8Array) => Promise<void>;

const overGrpc: Send = async (program, request) => {
  using client = openExportClient(program.grpcPort);
  await client.export(request);
};

interface HttpBody {
  readonly type: string;
  readonly coding?: string;
  readonly bytes: Uint8Array;
}

async function post({ httpUrl }: RunningProgram, { type, coding, bytes }: HttpBody) {
  const response = await fetch(`${httpUrl}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": type, ...(coding ? { "Content-Encoding": coding } : {}) },
    body: new Uint8Array(bytes),
  });
  const text = await response.text();
  expect({ status: response.status, text: text.replace("{}", "") }).toEqual({
    status: 200,
    text: "",
  });
}

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

function jsonOf(request: Uint8Array): Uint8Array {
  return Buffer.concat([...otlpJsonChunks(request)]);
}

/** Sends a compressed message by hand, because the client library lacks deflate and zstd. */
async function callCompressed(
  { grpcPort }: RunningProgram,
  { coding, bytes }: { readonly coding: string; readonly bytes: Uint8Array },
) {
  const session = openHttp2(grpcPort);
  const headers = { "grpc-encoding": coding };
  const end = await callHttp2(session, { headers, pieces: [grpcMessage(bytes, 1)] });
  session.destroy();
  expect(end).toMatchObject({ httpStatus: 200, grpcStatus: 0 });
}

const BYTE_ORDER_MARK = Buffer.from("\ufeff");

const WAYS: Readonly<Record<string, Send>> = {
  "HTTP, protobuf": (program, request) => post(program, { type: PROTOBUF, bytes: request }),
  "HTTP, protobuf, gzip": (program, request) =>
    post(program, { type: PROTOBUF, coding: "gzip", bytes: gzipSync(request) }),
  "HTTP, protobuf, deflate": (program, request) =>
    post(program, { type: PROTOBUF, coding: "deflate", bytes: deflateSync(request) }),
  "HTTP, protobuf, zstd": (program, request) =>
    post(program, { type: PROTOBUF, coding: "zstd", bytes: zstdCompressSync(request) }),
  "HTTP, JSON": (program, request) => post(program, { type: JSON_TYPE, bytes: jsonOf(request) }),
  "HTTP, JSON, after a byte order mark": (program, request) =>
    post(program, { type: JSON_TYPE, bytes: Buffer.concat([BYTE_ORDER_MARK, jsonOf(request)]) }),
  "gRPC, gzip": (program, request) =>
    callCompressed(program, { coding: "gzip", bytes: gzipSync(request) }),
  "gRPC, deflate": (program, request) =>
    callCompressed(program, { coding: "deflate", bytes: deflateSync(request) }),
  "gRPC, zstd": (program, request) =>
    callCompressed(program, { coding: "zstd", bytes: zstdCompressSync(request) }),
  "HTTP, JSON, gzip": (program, request) =>
    post(program, { type: JSON_TYPE, coding: "gzip", bytes: gzipSync(jsonOf(request)) }),
};

function requests(): Uint8Array[] {
  const codec = new ProtobufSpanCodec();
  const random = fc.sample(traceSpanArbitrary, { numRuns: RANDOM_SPANS, seed: 4318 });
  return [...GOLDEN_NAMES.map(goldenRequest), ...random.map((span) => codec.encode(span))];
}

async function roundTrip(program: RunningProgram, send: Send) {
  const api = readApiClient(program.apiUrl);
  for (const request of requests()) await send(program, request);
  const json = await api.spansAsJson(1000);
  const spans = new ProtobufSpanCodec().decode(await api.takeAsBytes(1000));
  return { json, spans };
}

test.each(Object.entries(WAYS))(
  "spans read back as over gRPC without compression: %s",
  async (_name, send) => {
    await using program = await startProgram();
    const first = await roundTrip(program, overGrpc);

    const other = await roundTrip(program, send);

    expect(first.spans.length).toBeGreaterThan(RANDOM_SPANS);
    expect(other.spans).toStrictEqual(first.spans);
    expect(other.json).toStrictEqual(first.json);
  },
);

test("metrics and logs of an SDK are accepted with a hint and discarded", async () => {
  await using program = await startProgram();

  const answers = await Promise.all(
    ["metrics", "logs"].map(async (signal) => {
      const init = { method: "POST", headers: { "Content-Type": JSON_TYPE }, body: "{}" };
      const response = await fetch(`${program.httpUrl}/v1/${signal}`, init);
      return { status: response.status, text: await response.text() };
    }),
  );
  const { spans } = await readApiClient(program.apiUrl).stats();

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(answers.map(({ text }) => text)).toEqual([
    expect.stringContaining("OTEL_METRICS_EXPORTER=none"),
    expect.stringContaining("OTEL_LOGS_EXPORTER=none"),
  ]);
  expect(spans.received).toBe(0);
  expect(await program.logged("problem")).toMatchObject({
    level: "WARNING",
    reason: "unsupported_metrics",
  });
});

test("UNSUPPORTED_SIGNALS=reject makes their paths unknown", async () => {
  await using program = await startProgram({ UNSUPPORTED_SIGNALS: "reject" });

  const init = { method: "POST", headers: { "Content-Type": JSON_TYPE }, body: "{}" };
  const { status } = await fetch(`${program.httpUrl}/v1/metrics`, init);

  expect(status).toBe(404);
});

test("a browser may send from a listed origin", async () => {
  const page = "https://shop.example";
  await using program = await startProgram({ OTLP_HTTP_CORS_ORIGINS: page });
  const url = `${program.httpUrl}/v1/traces`;
  const asking = { Origin: page, "Access-Control-Request-Method": "POST" };

  const preflight = await fetch(url, {
    method: "OPTIONS",
    headers: { ...asking, "Access-Control-Request-Headers": "content-type" },
  });
  const sent = await fetch(url, {
    method: "POST",
    headers: { Origin: page, "Content-Type": JSON_TYPE },
    body: jsonOf(goldenRequest("plain-server-span")).slice().buffer as ArrayBuffer,
  });

  expect([preflight.status, sent.status]).toEqual([204, 200]);
  const granted = [preflight, sent].map(({ headers }) =>
    headers.get("access-control-allow-origin"),
  );
  expect(granted).toEqual([page, page]);
});
