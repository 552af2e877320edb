import { expect, test } from "bun:test";
import { refusedCall, tooLargeCall } from "../../../src/adapters/otlp-grpc/refused-call.ts";
import { UNSUPPORTED_PATHS } from "../../../src/adapters/otlp-grpc/unsupported-services.ts";
import { callUnary, EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

stopGrpcListenersAfterEach();

// Goal: what grpc-js refuses before we see it is recorded. Method: a listener without metrics and
// logs gets it, and what the list of problems then says is compared.
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

test("a message that is too long is recorded, with its length and the limit", async () => {
  const { listener, problems, receiver } = await runGrpcListener({ maxMessageBytes: 1000 });
  const session = openHttp2(listener.port);

  await callHttp2(session, { pieces: [messagePrefix(5_000_000), Buffer.alloc(1001)] });
  session.destroy();

  expect(problems.list()).toMatchObject([
    { reason: "too_large", detail: "the message has 5000000 bytes; the limit is 1000" },
  ]);
  expect(receiver.turnedAwayAs).toEqual(["too_large"]);
});

test("what is answered as it should be is no problem", async () => {
  const { client, problems } = await runGrpcListener();
  const sender = client();

  await callUnary(sender, EXPORT_PATH, Buffer.alloc(0));
  await callUnary(sender, "/grpc.health.v1.Health/Check", Buffer.alloc(0));

  expect(problems.list()).toEqual([]);
});

test.each([
  { headers: { ":status": 200 }, name: "success" },
  { headers: { "grpc-status": 5, "grpc-message": "no such service" }, name: "another status" },
  { headers: { "grpc-status": 12, "grpc-message": "not this way" }, name: "one of our own" },
])("$name is not refused by grpc-js", ({ headers }) => {
  expect(refusedCall(headers, EXPORT_PATH)).toBeUndefined();
});

test("a message of metrics that is too long is metrics, and one of health is nothing", () => {
  const lengths = { lengthBytes: 2, maxBytes: 1 };

  expect(tooLargeCall(UNSUPPORTED_PATHS.metrics, lengths)?.reason).toBe("unsupported_metrics");
  expect(tooLargeCall("/grpc.health.v1.Health/Check", lengths)).toBeUndefined();
});
