import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import {
  grpcVerdict,
  httpVerdict,
  type Verdict,
} from "../../../src/adapters/otlp/upstream-status.ts";
import { REFUSAL_REASONS } from "../../../src/ports/span-sink.ts";

const GRPC: Record<keyof typeof status, string> = {
  OK: "success",
  CANCELLED: "retry",
  UNKNOWN: "other",
  INVALID_ARGUMENT: "invalid",
  DEADLINE_EXCEEDED: "retry",
  NOT_FOUND: "blocked: not_found",
  ALREADY_EXISTS: "other",
  PERMISSION_DENIED: "blocked: forbidden",
  RESOURCE_EXHAUSTED: "retry",
  FAILED_PRECONDITION: "invalid",
  ABORTED: "retry",
  OUT_OF_RANGE: "retry",
  UNIMPLEMENTED: "blocked: unsupported",
  INTERNAL: "internal",
  UNAVAILABLE: "retry",
  DATA_LOSS: "retry",
  UNAUTHENTICATED: "blocked: unauthenticated",
};

function word(verdict: Verdict): string {
  if (verdict.outcome === "blocked") return `blocked: ${verdict.reason}`;
  return verdict.outcome === "refused" ? verdict.reason : verdict.outcome;
}

test.each(Object.entries(GRPC))("the gRPC status %s means %s", (name, meaning) => {
  const code = status[name as keyof typeof status];

  expect(word(grpcVerdict(code, "said", false))).toBe(meaning);
});

test("an unknown gRPC code may concern the spans", () => {
  expect(word(grpcVerdict(17, "said", false))).toBe("other");
  expect(word(grpcVerdict(-1, "said", true))).toBe("other");
});

test("RetryInfo does not make a permanent status retryable", () => {
  const changed = Object.entries(GRPC).filter(([name, meaning]) => {
    return word(grpcVerdict(status[name as keyof typeof status], "", true)) !== meaning;
  });

  expect(changed).toEqual([]);
});

test.each([
  ["INTERNAL", "Received RST_STREAM with code 2 (Internal server error)"],
  ["INTERNAL", "Received RST_STREAM with code 0 (Call ended without gRPC status)"],
  ["INTERNAL", "Failed to start HTTP/2 stream with error The session has been destroyed"],
  ["INTERNAL", "Write error: write after end"],
  ["UNKNOWN", "No status information received"],
  ["UNKNOWN", "Received HTTP status code 200"],
  ["PERMISSION_DENIED", "Protocol not secure enough"],
  ["RESOURCE_EXHAUSTED", "Bandwidth exhausted or memory limit exceeded"],
] as const)("%s with %p was not sent by the upstream and is retried", (name, details) => {
  expect(word(grpcVerdict(status[name], details, false))).toBe("retry");
});

test.each([
  ["INTERNAL", "panic: Received RST_STREAM with code 2", "internal"],
  ["UNKNOWN", "Received HTTP status code 2000", "other"],
  ["PERMISSION_DENIED", "no such key", "blocked: forbidden"],
  ["INTERNAL", "Received HTTP status code 200", "internal"],
] as const)("%s with %p was sent by the upstream and means %s", (name, details, meaning) => {
  expect(word(grpcVerdict(status[name], details, false))).toBe(meaning);
});

test.each([
  ["RESOURCE_EXHAUSTED", "Received message larger than max (5000000 vs. 4194304)"],
  ["RESOURCE_EXHAUSTED", "grpc: received message larger than max (5000000 vs. 4194304)"],
  ["RESOURCE_EXHAUSTED", "grpc: received message after decompression larger than max 4194304"],
  ["RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4194304: 5000000"],
  ["RESOURCE_EXHAUSTED", "Received message exceeds the maximum configured message size."],
  ["RESOURCE_EXHAUSTED", "more than 9 spans in one request; send smaller batches"],
  ["OUT_OF_RANGE", "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes"],
  ["UNKNOWN", "Received HTTP status code 413"],
] as const)("%s with %p means too large", (name, details) => {
  expect(word(grpcVerdict(status[name], details, false))).toBe("too_large");
});

test.each([
  ["UNAVAILABLE", "Received message larger than max (5000000 vs. 4194304)", "retry"],
  ["RESOURCE_EXHAUSTED", "too many requests", "retry"],
  ["OUT_OF_RANGE", "past the end", "retry"],
  ["UNKNOWN", "Received HTTP status code 4130", "other"],
] as const)("%s with %p does not mean too large but %s", (name, details, meaning) => {
  expect(word(grpcVerdict(status[name], details, false))).toBe(meaning);
});

test.each([
  ["UNAUTHENTICATED", 401],
  ["PERMISSION_DENIED", 403],
  ["UNIMPLEMENTED", 404],
  ["INTERNAL", 400],
  ["UNAVAILABLE", 503],
  ["UNKNOWN", 301],
  ["UNKNOWN", 405],
  ["UNKNOWN", 500],
  ["UNKNOWN", 520],
] as const)("%s from a proxy without gRPC means the same as HTTP %d", (name, code) => {
  const details = `Received HTTP status code ${code}`;

  expect(grpcVerdict(status[name], details, false)).toEqual(httpVerdict(code));
});

test("a retryable status is not taken for too large", () => {
  const details = "Received message larger than max (5 vs. 4)";

  expect(word(grpcVerdict(status.RESOURCE_EXHAUSTED, details, true))).toBe("retry");
});

test.each([
  [200, "success"],
  [202, "success"],
  [204, "success"],
  [301, "blocked: redirected"],
  [308, "blocked: redirected"],
  [400, "invalid"],
  [401, "blocked: unauthenticated"],
  [402, "blocked: forbidden"],
  [403, "blocked: forbidden"],
  [404, "blocked: not_found"],
  [405, "blocked: unsupported"],
  [406, "blocked: unsupported"],
  [407, "blocked: unauthenticated"],
  [408, "blocked: other"],
  [410, "blocked: not_found"],
  [411, "blocked: unsupported"],
  [413, "too_large"],
  [415, "blocked: unsupported"],
  [418, "blocked: other"],
  [421, "blocked: not_found"],
  [422, "invalid"],
  [425, "blocked: other"],
  [426, "blocked: unsupported"],
  [429, "retry"],
  [431, "blocked: other"],
  [500, "internal"],
  [501, "blocked: unsupported"],
  [502, "retry"],
  [503, "retry"],
  [504, "retry"],
  [505, "blocked: unsupported"],
  [511, "blocked: unauthenticated"],
  [520, "blocked: other"],
  [999, "blocked: other"],
])("the HTTP status %d means %s", (code, meaning) => {
  expect(word(httpVerdict(code))).toBe(meaning);
});

test("every refusal reason belongs to at least one status", () => {
  const codes = Object.keys(GRPC).map((name) => status[name as keyof typeof status]);
  const statuses = Array.from({ length: 600 }, (_, code) => code);

  const found = [
    ...codes.map((code) => word(grpcVerdict(code, "", false))),
    ...statuses.map((code) => word(httpVerdict(code))),
  ];

  const reasons = found.map((meaning) => meaning.replace("blocked: ", ""));
  expect(new Set(reasons)).toEqual(new Set([...REFUSAL_REASONS, "success", "retry", "too_large"]));
});
