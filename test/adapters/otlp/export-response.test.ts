import { expect, test } from "bun:test";
import {
  type Answer,
  encodeExportResponse,
  encodeStatus,
  exportResponseJson,
  type FailureReceipt,
  isSuccess,
  MAX_RESPONSE_BYTES,
  statusJson,
  grpcRefusal,
  isGrpcType,
} from "../../../src/adapters/otlp/export-response.ts";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { GRPC_CODE } from "../../../src/adapters/otlp/status-table.ts";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;
const message = "why, and how to mend it";

test("an accepted request is answered with zero bytes", () => {
  expect(encodeExportResponse({ outcome: "accepted" })).toHaveLength(0);
});

test("a partial success contains the count and the message", () => {
  const bytes = encodeExportResponse({ outcome: "partly_rejected", rejectedSpans: 3, message });

  const { partialSuccess } = ExportTraceServiceResponse.decode(bytes);
  expect(Number(partialSuccess?.rejectedSpans)).toBe(3);
  expect(partialSuccess?.errorMessage).toBe(message);
});

test("a message is cut at a whole character to fit the size limit", () => {
  const bytes = encodeExportResponse({
    outcome: "partly_rejected",
    rejectedSpans: Number.MAX_SAFE_INTEGER,
    message: "\u{1f9f5}".repeat(MAX_RESPONSE_BYTES / 2),
  });

  const { partialSuccess } = ExportTraceServiceResponse.decode(bytes);
  expect(bytes.length).toBeLessThanOrEqual(MAX_RESPONSE_BYTES);
  expect(bytes.length).toBeGreaterThan(MAX_RESPONSE_BYTES - 100);
  expect(partialSuccess?.errorMessage).toMatch(/^\u{1f9f5}+$/u);
});

test.each<{ receipt: FailureReceipt; code: number }>([
  { receipt: { outcome: "malformed", message }, code: GRPC_CODE.INVALID_ARGUMENT },
  { receipt: { outcome: "too_large", message }, code: GRPC_CODE.RESOURCE_EXHAUSTED },
  { receipt: { outcome: "stopping", message }, code: GRPC_CODE.UNAVAILABLE },
  { receipt: { outcome: "failed", message }, code: GRPC_CODE.UNAVAILABLE },
])("the status of $receipt.outcome has code $code and no details", ({ receipt, code }) => {
  const status = google.rpc.Status.decode(encodeStatus(receipt));

  expect(status).toMatchObject({ code, message, details: [] });
});

test.each([
  { retryAfterMs: 0, seconds: 0, nanos: 0 },
  { retryAfterMs: 1500, seconds: 1, nanos: 500_000_000 },
  { retryAfterMs: 999.5, seconds: 0, nanos: 999_500_000 },
])(
  "the status of a refusal asks for a pause of $retryAfterMs ms",
  ({ retryAfterMs, seconds, nanos }) => {
    const bytes = encodeStatus({ outcome: "refused", message, retryAfterMs });

    const { code, details } = google.rpc.Status.decode(bytes);
    const delay = google.rpc.RetryInfo.decode(details[0]?.value ?? new Uint8Array(1)).retryDelay;
    expect(code).toBe(GRPC_CODE.UNAVAILABLE);
    expect(details.map(({ typeUrl }) => typeUrl)).toEqual([
      "type.googleapis.com/google.rpc.RetryInfo",
    ]);
    expect([Number(delay?.seconds), delay?.nanos]).toEqual([seconds, nanos]);
  },
);

test("a status with a long message still fits into trailers", () => {
  const bytes = encodeStatus({ outcome: "failed", message: "x".repeat(100_000) });

  expect(bytes.length).toBeLessThan(1100);
});

test.each<{ receipt: Answer; success: boolean }>([
  { receipt: { outcome: "accepted" }, success: true },
  { receipt: { outcome: "partly_rejected", rejectedSpans: 1, message }, success: true },
  { receipt: { outcome: "unsupported", signal: "logs", rejectedItems: 1, message }, success: true },
  { receipt: { outcome: "refused", message, retryAfterMs: 1 }, success: false },
  { receipt: { outcome: "wrong_method", message }, success: false },
  { receipt: { outcome: "stopping", message }, success: false },
])("$receipt.outcome is a success: $success", ({ receipt, success }) => {
  expect(isSuccess(receipt)).toBe(success);
});

test.each(["metrics", "logs"] as const)(
  "the answer to %s contains a count and a warning",
  (signal) => {
    const unsupported = {
      outcome: "unsupported",
      signal,
      rejectedItems: 300,
      message: "traces only",
    } as const;
    const bytes = encodeExportResponse(unsupported);

    // [0a length] partial_success, [08] number of rejected items, [12 length] error_message
    expect(Buffer.from(bytes)).toEqual(
      Buffer.concat([Buffer.of(0x0a, 16, 0x08, 0xac, 0x02, 0x12, 11), Buffer.from("traces only")]),
    );
  },
);

test("a request without items is answered with a warning only", () => {
  const answer = {
    outcome: "unsupported",
    signal: "logs",
    rejectedItems: 0,
    message: "no",
  } as const;

  expect(Buffer.from(encodeExportResponse(answer)).toHex()).toBe("0a0412026e6f");
  expect(exportResponseJson(answer)).toBe('{"partialSuccess":{"errorMessage":"no"}}');
});

test.each<{ receipt: Parameters<typeof exportResponseJson>[0]; json: string }>([
  { receipt: { outcome: "accepted" }, json: "{}" },
  {
    receipt: { outcome: "partly_rejected", rejectedSpans: 3, message: 'a "b"' },
    json: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"a \\"b\\""}}',
  },
  {
    receipt: { outcome: "unsupported", signal: "metrics", rejectedItems: 3, message: "no" },
    json: '{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"no"}}',
  },
  {
    receipt: { outcome: "unsupported", signal: "logs", rejectedItems: 1, message: "no" },
    json: '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"no"}}',
  },
])("$receipt.outcome is written as $json in OTLP/JSON", ({ receipt, json }) => {
  expect(exportResponseJson(receipt)).toBe(json);
});

test.each<{ receipt: FailureReceipt; json: string }>([
  { receipt: { outcome: "malformed", message: "bad" }, json: '{"code":3,"message":"bad"}' },
  {
    receipt: { outcome: "busy", message: "later", retryAfterMs: 1500 },
    json:
      '{"code":14,"message":"later","details":[' +
      '{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}',
  },
])("the status of $receipt.outcome is written as $json", ({ receipt, json }) => {
  expect(statusJson(receipt)).toBe(json);
});

test.each([
  "application/grpc",
  "application/grpc+proto",
  "Application/GRPC",
  "application/grpc; charset=utf-8",
])("the content type %p is gRPC", (type) => {
  expect(isGrpcType(type)).toBe(true);
});

test.each([null, "", "application/grpc-web", "application/grpcfoo", "text/application/grpc"])(
  "the content type %p is not gRPC",
  (type) => {
    expect(isGrpcType(type)).toBe(false);
  },
);

test("a refusal is an empty response with a gRPC status in its headers", async () => {
  const response = grpcRefusal("at port 4317; 100 % sure");

  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toEqual({
    "content-type": "application/grpc",
    "grpc-status": "12",
    "grpc-message": "at%20port%204317;%20100%20%25%20sure",
  });
  expect(response.body).toBeNull();
});
