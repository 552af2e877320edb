import { expect, test } from "bun:test";
import type { IncomingHttpHeaders } from "node:http2";
import { adaptHeaders } from "../../../src/adapters/otlp-grpc/call-headers.ts";

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
])("%s is gRPC", (type) => {
  expect(adapted({ "content-type": type })).toEqual({ "content-type": "application/grpc" });
});

test.each(["application/grpc-web", "application/grpcfoo", "a/grpc", "grpc"])(
  "%s is not, and grpc-js will say so",
  (type) => {
    expect(adapted({ "content-type": type })).toEqual({ "content-type": "" });
  },
);

test("without a content type, none is made up", () => {
  expect(adapted({})).toEqual({});
});

test("a deadline and an encoding are not for grpc-js to see, all else is", () => {
  const headers = { "grpc-timeout": "1S", "grpc-encoding": "zstd", te: "trailers" };

  expect(adapted(headers)).toEqual({ "spanring-message-encoding": "zstd", te: "trailers" });
});
