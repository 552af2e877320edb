import { connect } from "node:http2";
import { describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { grpc, type Input } from "../../../src/adapters/otlp-grpc/generated/services.js";
import { callUnary, EXPORT_PATH, GZIP, heardByServer } from "../../support/grpc/grpc-call.ts";
import { openDialogue } from "../../support/grpc/grpc-conversation.ts";
import { beginCall, endOf, pong } from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { fileOfSymbol, filesFor } from "../../../src/adapters/otlp-grpc/reflection-service.ts";

const { ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;
const V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const V1_ALPHA = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";

stopGrpcListenersAfterEach();

type Request = Input<grpc.reflection.v1.ServerReflectionRequest>;

function encode(request: Request): Buffer {
  return Buffer.from(ServerReflectionRequest.encode(request).finish());
}

/** Sends one request on its own connection. */
async function reflect(request: Request, path = V1) {
  const { client } = await runGrpcListener();
  const { call, next } = openDialogue(client(), path);
  call.write(encode(request));
  return ServerReflectionResponse.decode(await next());
}

describe.each([V1, V1_ALPHA])("%s", (path) => {
  test("lists every service", async () => {
    const answer = await reflect({ listServices: "*" }, path);

    expect(answer.listServicesResponse?.service.map(({ name }) => name)).toEqual([
      TRACE_SERVICE,
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
  });
});

describe("the files of a reflection request", () => {
  test.each([
    { name: "by the name of a service", request: { fileContainingSymbol: TRACE_SERVICE } },
    {
      name: "by the name of a method",
      request: { fileContainingSymbol: `${TRACE_SERVICE}.Export` },
    },
    {
      name: "by their own name",
      request: {
        fileByFilename: "opentelemetry/proto/collector/trace/v1/trace_service.proto",
      },
    },
  ])("are found $name and returned with their imports", async ({ request }) => {
    const answer = await reflect(request);

    expect(answer.fileDescriptorResponse?.fileDescriptorProto).toHaveLength(4);
  });

  test.each([
    { name: "an unknown file", request: { fileByFilename: "no.proto" } },
    { name: "an unknown symbol", request: { fileContainingSymbol: "no.Such" } },
    {
      name: "an extension",
      request: { fileContainingExtension: { containingType: "a.B", extensionNumber: 1 } },
    },
    { name: "extensions of an unknown type", request: { allExtensionNumbersOfType: "no.Such" } },
  ])("are replaced by NOT_FOUND for $name", async ({ request }) => {
    const answer = await reflect(request);

    expect(answer.errorResponse?.errorCode).toBe(status.NOT_FOUND);
  });
});

test("the extensions of a type are an empty list", async () => {
  const answer = await reflect({ allExtensionNumbersOfType: "opentelemetry.proto.trace.v1.Span" });

  expect(answer.allExtensionNumbersResponse).toMatchObject({
    baseTypeName: "opentelemetry.proto.trace.v1.Span",
    extensionNumber: [],
  });
});

test("an empty request is answered with INVALID_ARGUMENT", async () => {
  const answer = await reflect({ host: "here" });

  expect(answer.errorResponse?.errorCode).toBe(status.INVALID_ARGUMENT);
});

test("an answer repeats its request and host", async () => {
  const answer = await reflect({ host: "here", fileByFilename: "no.proto" });

  expect(answer.validHost).toBe("here");
  expect(answer.originalRequest?.fileByFilename).toBe("no.proto");
});

describe("a reflection stream", () => {
  test("has one answer per request, in order, and ends after the client's end", async () => {
    const { client } = await runGrpcListener();
    const { call, next, ended } = openDialogue(client(GZIP), V1);

    const names = Array.from({ length: 200 }, (_, index) => `${index}.proto`);

    for (const name of names) call.write(encode({ fileByFilename: name }));
    call.end();
    const answered: unknown[] = [];
    while (answered.length < names.length) {
      const { originalRequest } = ServerReflectionResponse.decode(await next());
      answered.push(originalRequest?.fileByFilename);
    }

    expect(answered).toEqual(names);
    expect((await ended).code).toBe(status.OK);
  });

  test.each([
    { name: "is invalid", message: Buffer.of(0x0a, 0x7f) },
    { name: "contains an overlong name", message: encode({ fileByFilename: "x".repeat(20_000) }) },
  ])("ends with INVALID_ARGUMENT after a message that $name", async ({ message }) => {
    const { client } = await runGrpcListener();
    const { call, ended } = openDialogue(client(), V1);

    call.write(message);

    expect((await ended).code).toBe(status.INVALID_ARGUMENT);
  });

  test("is refused above the limit, which does not affect exports", async () => {
    const { client } = await runGrpcListener();
    const holders = client();
    const streams = Array.from({ length: 16 }, () => openDialogue(holders, V1));
    for (const { call } of streams) call.write(encode({ listServices: "*" }));
    await Promise.all(streams.map(({ next }) => next()));

    const refused = await openDialogue(holders, V1).ended;
    const exported = await callUnary(holders, EXPORT_PATH, Buffer.alloc(0));
    streams[0]?.cancel();
    await heardByServer(holders);
    const admitted = openDialogue(holders, V1);
    admitted.call.write(encode({ listServices: "*" }));

    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(exported.code).toBe(status.OK);
    expect((await admitted.next()).length).toBeGreaterThan(0);
  });
});

test("requests of a client that reads no answers are not read until it does", async () => {
  const { listener } = await runGrpcListener();
  const settings = { initialWindowSize: 0 };
  const session = connect(`http://127.0.0.1:${listener.port}`, { settings });
  const stream = beginCall(session, { path: V1 });
  const request = grpcMessage(encode({ fileByFilename: "x".repeat(10_000) }));

  for (let count = 0; count < 300; count += 1) stream.write(request);
  // The pings leave enough time to read all requests.
  for (let ping = 0; ping < 50; ping += 1) await pong(session);
  const held = listener.counts().heldBytes;
  session.settings({ initialWindowSize: 16_000_000 });
  stream.end();
  const { grpcStatus, body } = await endOf(stream);
  session.destroy();

  // The requests have 3 MB; each one that is read is charged.
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(1_000_000);
  expect(grpcStatus).toBe(status.OK);
  expect(body.length).toBe(300 * (5 + body.readUInt32BE(1)));
});

const TRACE_SERVICE_FILE = "opentelemetry/proto/collector/trace/v1/trace_service.proto";

/** A FileDescriptorProto begins with its name: tag 0x0a, its length, its text. */
function nameOf(file: Uint8Array): string {
  return Buffer.from(file.subarray(2, 2 + (file[1] ?? 0))).toString();
}

describe("files", () => {
  test("filesFor() returns a file and then each of its imports once", () => {
    const names = filesFor(TRACE_SERVICE_FILE)?.map(nameOf);

    expect(names).toEqual([
      TRACE_SERVICE_FILE,
      "opentelemetry/proto/trace/v1/trace.proto",
      "opentelemetry/proto/common/v1/common.proto",
      "opentelemetry/proto/resource/v1/resource.proto",
    ]);
  });

  test.each(["no/such.proto", "", "__proto__", "constructor"])(
    "filesFor() returns undefined for the unknown file %p",
    (name) => {
      expect(filesFor(name)).toBeUndefined();
    },
  );
});

describe("symbols", () => {
  test.each([
    { symbol: "opentelemetry.proto.collector.trace.v1.TraceService", file: TRACE_SERVICE_FILE },
    {
      symbol: "opentelemetry.proto.collector.trace.v1.TraceService.Export",
      file: TRACE_SERVICE_FILE,
    },
    { symbol: "grpc.health.v1.HealthCheckRequest", file: "grpc/health/v1/health.proto" },
  ])("$symbol is in $file", ({ symbol, file }) => {
    expect(fileOfSymbol(symbol)).toBe(file);
  });

  test.each(["no.such.Symbol", "", "__proto__", "toString"])("no symbol is named %p", (symbol) => {
    expect(fileOfSymbol(symbol)).toBeUndefined();
  });
});
