import { expect, test } from "bun:test";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { callFailure, isGone } from "../../../src/adapters/otlp-grpc/call-handlers.ts";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";

test("a failure has the code and message of its outcome, also in its details", () => {
  const failure = callFailure({ outcome: "malformed", message: "field 1 is cut short" });

  const [details] = failure.metadata?.get("grpc-status-details-bin") ?? [];
  expect([failure.code, failure.details]).toEqual([3, "field 1 is cut short"]);
  expect(google.rpc.Status.decode(details as Buffer)).toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: "field 1 is cut short",
  });
});

test.each([
  { outcome: "unsupported_encoding", accepted: ["identity,gzip,deflate,zstd"] },
  { outcome: "malformed_frame", accepted: [] },
] as const)(
  "only unsupported_encoding lists the supported encodings: $outcome",
  ({ outcome, accepted }) => {
    const { metadata } = callFailure({ outcome, message: "no" });

    expect<readonly unknown[] | undefined>(metadata?.get("grpc-accept-encoding")).toEqual(accepted);
  },
);

const OPEN = { session: {} as Http2Session, destroyed: false, closed: false };

test.each([
  { name: "is open", stream: OPEN, gone: false },
  { name: "is destroyed", stream: { ...OPEN, destroyed: true }, gone: true },
  { name: "is closed", stream: { ...OPEN, closed: true }, gone: true },
  { name: "has no session", stream: { ...OPEN, session: undefined }, gone: true },
])("a stream that $name is gone: $gone", ({ stream, gone }) => {
  expect(isGone(stream as ServerHttp2Stream)).toBe(gone);
});
