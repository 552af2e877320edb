import { expect, test } from "bun:test";
import type { IncomingHttpHeaders } from "node:http2";
import {
  adaptHeaders,
  type CallFault,
  faultAtEnd,
  faultSoFar,
  problemOf,
  unhandledCall,
} from "../../../src/adapters/otlp-grpc/call-headers.ts";
import { UNSUPPORTED_PATHS } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { IncomingMessage } from "../../../src/adapters/otlp-grpc/incoming-message.ts";
import { grpcVerdict } from "../../../src/adapters/otlp/upstream-status.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

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
    { reason: "too_large", detail: "received message larger than max (5000000 vs. 1000)" },
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

test.each(["application/grpc", "application/grpc+proto"])(
  "a call of a known method with type %s has a handler",
  (type) => {
    const headers = { ":path": "/known", "content-type": type };

    expect(unhandledCall(headers, (path) => path === "/known")).toBeUndefined();
  },
);

test.each([
  { path: EXPORT_PATH, reason: "too_large" },
  { path: UNSUPPORTED_PATHS.metrics, reason: "unsupported_metrics" },
  { path: "/grpc.health.v1.Health/Check", reason: undefined },
])("an oversized message at $path is recorded as $reason", ({ path, reason }) => {
  const fault: CallFault = { outcome: "too_large", code: 8, details: "2 bytes" };

  expect<string | undefined>(problemOf(fault, path)?.reason).toBe(reason);
});

test.each([
  { path: EXPORT_PATH, reason: "malformed" },
  { path: UNSUPPORTED_PATHS.metrics, reason: undefined },
])("a call at $path without one message is recorded as $reason", ({ path, reason }) => {
  const fault: CallFault = { outcome: "malformed", code: 13, details: "cut short" };

  expect<string | undefined>(problemOf(fault, path)?.reason).toBe(reason);
});

function arrived(bytes: Buffer): IncomingMessage {
  const message = new IncomingMessage(10);
  message.add(bytes);
  return message;
}

const WHOLE = grpcMessage(Buffer.alloc(10));

test.each([
  { name: "nothing", bytes: Buffer.alloc(0), code: 12, details: "has no message" },
  { name: "4 bytes", bytes: WHOLE.subarray(0, 4), code: 13, details: "before the end of its" },
  { name: "a prefix", bytes: WHOLE.subarray(0, 5), code: 13, details: "before the end of its" },
  { name: "all but a byte", bytes: WHOLE.subarray(0, 14), code: 13, details: "before the end" },
])("a call that ends after $name has a fault with code $code", ({ bytes, code, details }) => {
  expect(faultAtEnd(arrived(bytes), bytes.length)).toEqual({
    outcome: "malformed",
    code,
    details: expect.stringContaining(details),
  });
});

test("a call that ends after its message has no fault", () => {
  expect(faultAtEnd(arrived(WHOLE), WHOLE.length)).toBeUndefined();
});

const limits = { maxMessageBytes: 10 };

test.each([
  { name: "a byte after its message", bytes: Buffer.concat([WHOLE, Buffer.of(0)]), code: 12 },
  { name: "two messages", bytes: Buffer.concat([WHOLE, WHOLE]), code: 12 },
  { name: "a length above the limit", bytes: messagePrefix(11), code: 8 },
])("a call with $name is refused with code $code before it ends", ({ bytes, code }) => {
  expect(faultSoFar(arrived(bytes), limits)?.code).toBe(code);
});

test("a forwarder takes the refusal of a message above the limit for a matter of size", () => {
  const fault = faultSoFar(arrived(messagePrefix(11)), limits)!;

  expect(grpcVerdict(fault.code, fault.details, false)).toMatchObject({ outcome: "too_large" });
});

test.each([
  { name: "a part of its message", bytes: WHOLE.subarray(0, 12) },
  { name: "exactly its message", bytes: WHOLE },
])("a call with $name is not refused before it ends", ({ bytes }) => {
  expect(faultSoFar(arrived(bytes), limits)).toBeUndefined();
});
