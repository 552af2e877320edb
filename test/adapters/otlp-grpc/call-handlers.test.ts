import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { callFailure } from "../../../src/adapters/otlp-grpc/call-handlers.ts";
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
