import { expect, test } from "bun:test";
import type { IncomingHttpHeaders } from "node:http2";
import {
  adaptHeaders,
  refusedCall,
  tooLargeCall,
  cardinalityFault,
  isCardinalityFault,
} from "../../../src/adapters/otlp-grpc/call-headers.ts";
import { UNSUPPORTED_PATHS } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";
import { status } from "@grpc/grpc-js";

function adapted(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  adaptHeaders(headers);
  return headers;
}

test.each([
  "application/grpc",
  "APPLICATION/gRPC",
  "application/grpc+proto",
  "application/grpc+json",
  "application/grpc;charset=utf-8",
  "application/grpc+proto ; a=b",
])("the content type %s is gRPC", (type) => {
  expect(adapted({ "content-type": type })).toEqual({ "content-type": "application/grpc" });
});

test.each(["application/grpc-web", "application/grpcfoo", "a/grpc", "grpc"])(
  "the content type %s is left for grpc-js to refuse",
  (type) => {
    expect(adapted({ "content-type": type })).toEqual({ "content-type": "" });
  },
);

test("a missing content type stays missing", () => {
  expect(adapted({})).toEqual({});
});

test("only the deadline and the encoding are concealed from grpc-js", () => {
  const headers = { "grpc-timeout": "1S", "grpc-encoding": "zstd", te: "trailers" };

  expect(adapted(headers)).toEqual({ "spanring-message-encoding": "zstd", te: "trailers" });
});

stopGrpcListenersAfterEach();

// Goal: calls that grpc-js refuses by itself are recorded. Method: a listener without metrics and
// logs receives such calls, and the list of problems is compared.
test.each([
  { path: "/no.such/Method", type: "application/grpc", reason: "unknown_path" },
  { path: UNSUPPORTED_PATHS.metrics, type: "application/grpc", reason: "unsupported_metrics" },
  { path: UNSUPPORTED_PATHS.logs, type: "application/grpc", reason: "unsupported_logs" },
  { path: EXPORT_PATH, type: "application/grpc-web", reason: "unsupported_type" },
  { path: "/v1/traces", type: "application/x-protobuf", reason: "http_on_grpc" },
] as const)("$type at $path is recorded as $reason", async ({ path, type, reason }) => {
  const { listener, problems } = await runGrpcListener();
  const session = openHttp2(listener.port);

  const headers = { ":path": path, "content-type": type };
  await callHttp2(session, { headers, pieces: [grpcMessage(Buffer.alloc(1))] });
  session.destroy();

  expect(problems.list()).toMatchObject([
    { protocol: "grpc", reason, address: "127.0.0.1", count: 1, detail: path },
  ]);
});

test("a message above the limit is recorded with its length and the limit", async () => {
  const { listener, problems, receiver } = await runGrpcListener({ maxMessageBytes: 1000 });
  const session = openHttp2(listener.port);

  await callHttp2(session, { pieces: [messagePrefix(5_000_000), Buffer.alloc(1001)] });
  session.destroy();

  expect(problems.list()).toMatchObject([
    { reason: "too_large", detail: "the message has 5000000 bytes; the limit is 1000" },
  ]);
  expect(receiver.turnedAwayAs).toEqual(["too_large"]);
});

test("a correct call is not a problem", async () => {
  const { client, problems } = await runGrpcListener();
  const sender = client();

  await callUnary(sender, EXPORT_PATH, Buffer.alloc(0));
  await callUnary(sender, "/grpc.health.v1.Health/Check", Buffer.alloc(0));

  expect(problems.list()).toEqual([]);
});

test.each([
  { headers: { ":status": 200 }, name: "success" },
  { headers: { "grpc-status": 5, "grpc-message": "no such service" }, name: "another status" },
  { headers: { "grpc-status": 12, "grpc-message": "not this way" }, name: "a status by spanring" },
])("$name is not a refusal by grpc-js", ({ headers }) => {
  expect(refusedCall(headers, EXPORT_PATH)).toBeUndefined();
});

test("an oversized message is recorded as metrics, or not at all for a health check", () => {
  const lengths = { lengthBytes: 2, maxBytes: 1 };

  expect(tooLargeCall(UNSUPPORTED_PATHS.metrics, lengths)?.reason).toBe("unsupported_metrics");
  expect(tooLargeCall("/grpc.health.v1.Health/Check", lengths)).toBeUndefined();
});

const LIBRARY_FAULT = {
  "grpc-status": status.UNIMPLEMENTED,
  "grpc-message": encodeURI("Received no request message for server streaming method /a.B/C"),
};

test.each([
  { name: "the fault", headers: LIBRARY_FAULT, isFault: true },
  { name: "another status", headers: { ...LIBRARY_FAULT, "grpc-status": 13 }, isFault: false },
  { name: "no status", headers: { ":status": 200 }, isFault: false },
  {
    name: "an unknown method",
    headers: { ...LIBRARY_FAULT, "grpc-message": "The server does not implement the method /a" },
    isFault: false,
  },
])("$name is recognised as a cardinality fault of grpc-js: $isFault", ({ headers, isFault }) => {
  expect(isCardinalityFault(headers)).toBe(isFault);
});

test.each([
  { name: "nothing", seenBytes: 0, receivedBytes: 0, code: 12, message: "has no message" },
  {
    name: "4 bytes",
    seenBytes: 4,
    receivedBytes: 4,
    code: 13,
    message: "before the end of its message",
  },
  {
    name: "a prefix",
    seenBytes: 5,
    receivedBytes: 5,
    code: 13,
    message: "before the end of its message",
  },
  {
    name: "all but one byte",
    seenBytes: 5,
    receivedBytes: 14,
    code: 13,
    message: "before the end of its message",
  },
  {
    name: "more than one message",
    seenBytes: 5,
    receivedBytes: 15,
    code: 12,
    message: "more than one",
  },
  {
    name: "two messages",
    seenBytes: 5,
    receivedBytes: 30,
    code: 12,
    message: "more than one message",
  },
])(
  "the fault is explained if, of a message of 10 bytes, the server received $name",
  ({ seenBytes, receivedBytes, code, message }) => {
    const fault = cardinalityFault({ prefix: { seenBytes, lengthBytes: 10 }, receivedBytes });

    expect(fault).toEqual({ code, message: expect.stringContaining(message) });
  },
);
