import { expect, test } from "bun:test";
import {
  faultTexts,
  missedFromLine,
  spanFromLine,
  spansFromOtlpJson,
} from "../../../../src/adapters/cli/render/shown-span.ts";

test("a line of NDJSON is read as a span, with defaults for omitted members", () => {
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
      { key: "list", value: { arrayValue: { values: [{ intValue: "1" }, {}] } } },
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
    exception: "",
    attributes: [
      { key: "text", value: "x" },
      { key: "int", value: "5" },
      { key: "flag", value: "false" },
      { key: "list", value: "[1, null]" },
      { key: "empty", value: "" },
    ],
  });
});

test.each(["", "not JSON", "[", "5", "null"])("%p is not read as a span", (line) => {
  expect(spanFromLine(line)).toBeUndefined();
});

test.each([
  '{"name":5,"startTimeUnixNano":"soon","attributes":"none","status":null,"kind":[]}',
  "{}",
  "[]",
])("the valid members of %p are read", (line) => {
  expect(spanFromLine(line)).toMatchObject({
    startNano: undefined,
    endNano: undefined,
    isError: false,
  });
});

const text = (stringValue: string) => ({ stringValue });
const list = (...values: object[]) => ({ arrayValue: { values } });

test.each([
  { value: list(), shown: "[]" },
  { value: list(text("a"), text("b")), shown: "[a, b]" },
  {
    value: list({ intValue: "1" }, { doubleValue: 0.5 }, { boolValue: true }),
    shown: "[1, 0.5, true]",
  },
  { value: list(list(text("a")), list()), shown: "[[a], []]" },
  { value: { arrayValue: {} }, shown: "[]" },
  { value: { kvlistValue: { values: [{ key: "k", value: text("v") }] } }, shown: "{k: v}" },
  {
    value: {
      kvlistValue: {
        values: [
          { key: "a", value: { intValue: 5 } },
          { key: "b", value: list(text("x")) },
        ],
      },
    },
    shown: "{a: 5, b: [x]}",
  },
  { value: { kvlistValue: null }, shown: "{}" },
  { value: { bytesValue: "AQI=" }, shown: "AQI=" },
  { value: { futureValue: { a: [1] } }, shown: '{"a":[1]}' },
])("an attribute with the value $value is displayed as $shown", ({ value, shown }) => {
  const line = JSON.stringify({ attributes: [{ key: "k", value }] });

  expect(spanFromLine(line)?.attributes).toEqual([{ key: "k", value: shown }]);
});

test("values nested deeper than the limit are displayed as JSON", () => {
  const deep = Array.from({ length: 200 }).reduce<object>((inner) => list(inner), text("x"));

  const [shown] = spanFromLine(
    JSON.stringify({ attributes: [{ key: "k", value: deep }] }),
  )!.attributes;

  expect(shown?.value).toStartWith("[[[");
  expect(shown?.value).toContain('{"arrayValue"');
});

test.each(["0000000000000000", "", undefined])(
  "the parent id %p means that the span has no parent",
  (parentSpanId) => {
    expect(spanFromLine(JSON.stringify({ parentSpanId }))?.parentSpanId).toBe("");
  },
);

test.each([
  { times: {}, startNano: undefined, endNano: undefined },
  {
    times: { startTimeUnixNano: "0", endTimeUnixNano: 0 },
    startNano: undefined,
    endNano: undefined,
  },
  { times: { startTimeUnixNano: "1", endTimeUnixNano: "2" }, startNano: 1n, endNano: 2n },
])("unset times are unknown: $times", ({ times, startNano, endNano }) => {
  expect(spanFromLine(JSON.stringify(times))).toMatchObject({ startNano, endNano });
});

const exceptionEvent = (...attributes: [string, string][]) => ({
  name: "exception",
  attributes: attributes.map(([key, value]) => ({ key, value: text(value) })),
});

test.each([
  { events: [], exception: "" },
  { events: [{ name: "other" }], exception: "" },
  { events: [exceptionEvent()], exception: "" },
  { events: [exceptionEvent(["exception.type", "E"])], exception: "E" },
  { events: [exceptionEvent(["exception.message", "no"])], exception: "no" },
  {
    events: [
      exceptionEvent(["exception.type", "First"]),
      exceptionEvent(["exception.message", "no stock"], ["exception.type", "RuntimeError"]),
      { name: "other" },
    ],
    exception: "RuntimeError: no stock",
  },
])("the exception of the events $events is $exception", ({ events, exception }) => {
  expect(spanFromLine(JSON.stringify({ events }))?.exception).toBe(exception);
});

test.each([
  { code: 2, exception: "E: no", message: "", faults: ["E: no"] },
  { code: 2, exception: "E: no", message: "no", faults: ["E: no"] },
  { code: 2, exception: "E: no", message: "other", faults: ["E: no", "other"] },
  { code: 2, exception: "", message: "no", faults: ["no"] },
  { code: 0, exception: "E: no", message: "", faults: [] },
  { code: 1, exception: "E: no", message: "fine", faults: ["fine"] },
])("with code $code, $exception and $message show as $faults", (given) => {
  const { code, exception, message, faults } = given;
  const span = spanFromLine(JSON.stringify({ status: { code, message } }))!;

  expect(faultTexts({ ...span, exception })).toEqual([...faults]);
});

test("a line about missed spans is not read as a span", () => {
  expect(missedFromLine('{"missed":12}')).toBe(12);
  expect(missedFromLine('{"sequence":1,"name":"missed"}')).toBeUndefined();
  expect(missedFromLine('{"missed":"x"}')).toBeUndefined();
});

test("the spans of an OTLP/JSON request get the service of their resource", () => {
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
