import { expect, test } from "bun:test";
import {
  missedFromLine,
  spanFromLine,
  spansFromOtlpJson,
} from "../../../../src/adapters/cli/render/shown-span.ts";

test("a line of NDJSON is a span, with what JSON leaves out at its default", () => {
  const line = JSON.stringify({
    sequence: 17,
    service: "shop",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name: "GET /",
    startTimeUnixNano: "1753000000123456789",
    endTimeUnixNano: "1753000000223456789",
    status: { code: 2, message: "no" },
    attributes: [
      { key: "text", value: { stringValue: "x" } },
      { key: "int", value: { intValue: "5" } },
      { key: "flag", value: { boolValue: false } },
      { key: "list", value: { arrayValue: { values: [{ intValue: "1" }] } } },
      { key: "empty", value: {} },
    ],
  });

  expect(spanFromLine(line)).toEqual({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "",
    name: "GET /",
    service: "shop",
    kind: 0,
    startNano: 1_753_000_000_123_456_789n,
    endNano: 1_753_000_000_223_456_789n,
    isError: true,
    statusMessage: "no",
    attributes: [
      { key: "text", value: "x" },
      { key: "int", value: "5" },
      { key: "flag", value: "false" },
      { key: "list", value: '{"values":[{"intValue":"1"}]}' },
      { key: "empty", value: "" },
    ],
  });
});

test.each(["", "not JSON", "[", "5", "null"])("%p is no span", (line) => {
  expect(spanFromLine(line)).toBeUndefined();
});

test.each([
  '{"name":5,"startTimeUnixNano":"soon","attributes":"none","status":null,"kind":[]}',
  "{}",
  "[]",
])("%p has another shape, and is shown as far as it goes", (line) => {
  expect(spanFromLine(line)).toMatchObject({ startNano: 0n, endNano: 0n, isError: false });
});

test("what was missed is told from a span", () => {
  expect(missedFromLine('{"missed":12}')).toBe(12);
  expect(missedFromLine('{"sequence":1,"name":"missed"}')).toBeUndefined();
  expect(missedFromLine('{"missed":"x"}')).toBeUndefined();
});

test("the spans of an OTLP/JSON request have the service of their resource", () => {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
        scopeSpans: [{ spans: [{ name: "one" }] }, { spans: [{ name: "two" }] }],
      },
      { scopeSpans: [{ spans: [{ name: "three" }] }] },
      { scopeSpans: "none" },
    ],
  };

  const spans = spansFromOtlpJson(request).map(({ name, service }) => `${service}: ${name}`);

  expect(spans).toEqual(["shop: one", "shop: two", "unknown_service: three"]);
  expect(spansFromOtlpJson(undefined)).toEqual([]);
});
