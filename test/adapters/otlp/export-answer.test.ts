import { expect, test } from "bun:test";
import {
  failureOutcome,
  statusDetails,
  successOutcome,
} from "../../../src/adapters/otlp/upstream-status.ts";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

function binary(bytes: Uint8Array | readonly number[]) {
  return { bytes: Uint8Array.from(bytes), isJson: false };
}

function json(text: string) {
  return { bytes: new TextEncoder().encode(text), isJson: true };
}

function partly(rejectedSpans: number, errorMessage: string) {
  const partialSuccess = { rejectedSpans, errorMessage };
  return binary(ExportTraceServiceResponse.encode({ partialSuccess }).finish());
}

test.each([
  { name: "no bytes", answer: binary([]), outcome: { outcome: "delivered" } },
  { name: "an empty partial success", answer: partly(0, ""), outcome: { outcome: "delivered" } },
  { name: "{}", answer: json("{}"), outcome: { outcome: "delivered" } },
  { name: "null", answer: json('{"partialSuccess":null}'), outcome: { outcome: "delivered" } },
  {
    name: "a warning in JSON",
    answer: json('{"partialSuccess":{"errorMessage":"slow"}}'),
    outcome: { outcome: "delivered", message: "slow" },
  },
  {
    name: "a count in JSON",
    answer: json('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"bad"}}'),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "bad" },
  },
  {
    name: "a numeric count in JSON",
    answer: json('{"partialSuccess":{"rejectedSpans":2}}'),
    outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "" },
  },
  {
    name: "all spans rejected",
    answer: partly(3, "none"),
    outcome: { outcome: "partly_rejected", rejectedSpans: 3, message: "none" },
  },
  {
    name: "a count beyond the integers of a double",
    answer: json('{"partialSuccess":{"rejectedSpans":"9223372036854775807"}}'),
    outcome: { outcome: "partly_rejected", rejectedSpans: 3, message: "" },
  },
  ...[binary([0x0a, 0xff]), json("<html>"), json("null"), json('{"partialSuccess":')].map(
    (answer) => ({
      name: "unreadable bytes",
      answer,
      outcome: { outcome: "delivered", message: "its response cannot be read" },
    }),
  ),
])("a success with $name is read", ({ answer, outcome }) => {
  expect(successOutcome(answer, 3)).toEqual(outcome as ReturnType<typeof successOutcome>);
});

test("no span is rejected out of none", () => {
  expect(successOutcome(partly(3, "none"), 0)).toEqual({ outcome: "delivered", message: "none" });
});

test("a fractional count in JSON makes the answer unreadable", () => {
  const answer = json('{"partialSuccess":{"rejectedSpans":"1.5"}}');

  expect(successOutcome(answer, 3)).toMatchObject({ outcome: "delivered" });
});

test.each([
  { name: "seconds and nanoseconds", seconds: 2, nanos: 500_000_000, ms: 2500 },
  { name: "less than a millisecond", seconds: 0, nanos: 600_000, ms: 1 },
  { name: "the past", seconds: -5, nanos: 0, ms: 0 },
])("a RetryInfo of $name is read as $ms ms", ({ seconds, nanos, ms }) => {
  const value = google.rpc.RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish();

  expect(detailsWith("type.googleapis.com/google.rpc.RetryInfo", value)).toEqual({
    code: 14,
    message: "said",
    mayRetry: true,
    retryAfterMs: ms,
  });
});

test("a RetryInfo without a delay permits a retry without a delay", () => {
  expect(detailsWith("type.googleapis.com/google.rpc.RetryInfo", new Uint8Array(0))).toEqual({
    code: 14,
    message: "said",
    mayRetry: true,
    retryAfterMs: undefined,
  });
});

test("other details do not permit a retry", () => {
  expect(detailsWith("type.googleapis.com/google.rpc.BadRequest", new Uint8Array(0))).toEqual({
    code: 14,
    message: "said",
    mayRetry: false,
    retryAfterMs: undefined,
  });
});

function detailsWith(typeUrl: string, value: Uint8Array) {
  const details = [{ typeUrl, value }];
  return statusDetails(
    binary(google.rpc.Status.encode({ code: 14, message: "said", details }).finish()),
  );
}

test.each([binary([0xff]), json("<html>"), json("[]"), binary([])])(
  "a body that is not a status is read as an empty status",
  (answer) => {
    expect(statusDetails(answer)).toEqual({
      code: 0,
      message: "",
      mayRetry: false,
      retryAfterMs: undefined,
    });
  },
);

test("the message of a status in JSON is read", () => {
  expect(statusDetails(json('{"code":3,"message":"no traces"}')).message).toBe("no traces");
});

test("only a retry has a delay, and messages are escaped and cut", () => {
  expect(failureOutcome({ outcome: "retry" }, "a\nb", 5)).toEqual({
    outcome: "retry",
    message: "a\\nb",
    afterMs: 5,
  });
  expect(failureOutcome({ outcome: "refused", reason: "invalid" }, "no", 5)).toEqual({
    outcome: "refused",
    reason: "invalid",
    message: "no",
  });
  expect(failureOutcome({ outcome: "too_large" }, "x".repeat(999), undefined)).toEqual({
    outcome: "too_large",
    message: `${"x".repeat(253)}…`,
  });
});
