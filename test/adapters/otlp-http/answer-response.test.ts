import { expect, test } from "bun:test";
import { answerResponse } from "../../../src/adapters/otlp-http/answer-response.ts";
import type { Answer } from "../../../src/adapters/otlp/export-response.ts";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;
const message = "why, and how to mend it";

const failures: { answer: Answer; status: number; code: number; retryAfter: string | null }[] = [
  { answer: { outcome: "malformed", message }, status: 400, code: 3, retryAfter: null },
  { answer: { outcome: "unknown_path", message }, status: 404, code: 12, retryAfter: null },
  { answer: { outcome: "wrong_method", message }, status: 405, code: 12, retryAfter: null },
  { answer: { outcome: "too_large", message }, status: 413, code: 8, retryAfter: null },
  { answer: { outcome: "unsupported_media", message }, status: 415, code: 3, retryAfter: null },
  { answer: { outcome: "stopping", message }, status: 503, code: 14, retryAfter: null },
  { answer: { outcome: "failed", message }, status: 503, code: 14, retryAfter: null },
  {
    answer: { outcome: "refused", message, retryAfterMs: 1000 },
    status: 503,
    code: 14,
    retryAfter: "1",
  },
  {
    answer: { outcome: "busy", message, retryAfterMs: 1001 },
    status: 503,
    code: 14,
    retryAfter: "2",
  },
];

test.each(failures)(
  "$answer.outcome is answered with $status and a status in protobuf",
  async (expected) => {
    const response = answerResponse(expected.answer, "protobuf");

    const status = google.rpc.Status.decode(await response.bytes());
    expect(response.status).toBe(expected.status);
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
    expect(response.headers.get("retry-after")).toBe(expected.retryAfter);
    expect(status).toMatchObject({ code: expected.code, message });
  },
);

test.each(failures)(
  "$answer.outcome is answered with $status and a status in JSON",
  async (expected) => {
    const response = answerResponse(expected.answer, "json");

    expect(response.status).toBe(expected.status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("retry-after")).toBe(expected.retryAfter);
    expect(await response.json()).toMatchObject({ code: expected.code, message });
  },
);

test("acceptance is answered with 200 and zero bytes in protobuf", async () => {
  const response = answerResponse({ outcome: "accepted" }, "protobuf");

  expect(response.status).toBe(200);
  expect(await response.bytes()).toHaveLength(0);
});

test("acceptance is answered with 200 and an empty object in JSON", async () => {
  const response = answerResponse({ outcome: "accepted" }, "json");

  expect(response.status).toBe(200);
  expect(await response.text()).toBe("{}");
});

const partly: Answer = { outcome: "partly_rejected", rejectedSpans: 2, message };

test("a partial success is answered with 200, the count and the reason in protobuf", async () => {
  const response = answerResponse(partly, "protobuf");

  const { partialSuccess } = ExportTraceServiceResponse.decode(await response.bytes());
  expect(response.status).toBe(200);
  expect(Number(partialSuccess?.rejectedSpans)).toBe(2);
  expect(partialSuccess?.errorMessage).toBe(message);
});

test("a partial success is answered with 200 and the count as a string in JSON", async () => {
  const response = answerResponse(partly, "json");

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    partialSuccess: { rejectedSpans: "2", errorMessage: message },
  });
});

test("additional headers are included", () => {
  const response = answerResponse({ outcome: "accepted" }, "json", { Vary: "Origin" });

  expect(response.headers.get("vary")).toBe("Origin");
});
