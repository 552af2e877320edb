import { expect, test } from "bun:test";
import type { AttributeValue, TraceSpan } from "../../src/domain/trace-span.ts";
import { plainSpan, tracesOf } from "../../src/testing/plain-span.ts";

function spanWith(value: AttributeValue): TraceSpan {
  const attributes = [{ key: "k", value }];
  const counts = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };
  const ids = { traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: "c".repeat(16) };
  const part = { attributes, droppedAttributesCount: 0, schemaUrl: "" };
  return {
    ...ids,
    ...counts,
    traceState: "",
    flags: 0,
    name: "GET /",
    kind: 2,
    startTimeUnixNano: 1n,
    endTimeUnixNano: 2n,
    attributes,
    events: [{ timeUnixNano: 1n, name: "exception", ...part }],
    links: [{ ...ids, traceState: "", flags: 0, ...part }],
    status: { code: 2, message: "late" },
    resource: { ...part, entityRefs: [] },
    scope: { ...part, name: "http", version: "1" },
  };
}

test.each<{ name: string; value: AttributeValue; plain: unknown }>([
  { name: "a string", value: { type: "string", value: "x" }, plain: "x" },
  { name: "a small integer", value: { type: "int", value: 5n }, plain: 5 },
  { name: "a large integer", value: { type: "int", value: 2n ** 60n }, plain: 2n ** 60n },
  { name: "no value", value: null, plain: null },
  {
    name: "an array",
    value: { type: "array", value: [{ type: "bool", value: true }] },
    plain: [true],
  },
  {
    name: "a map",
    value: { type: "kvlist", value: [{ key: "a", value: { type: "double", value: 0.5 } }] },
    plain: { a: 0.5 },
  },
])("an attribute with $name has a plain value everywhere in a span", ({ value, plain }) => {
  const span = plainSpan(spanWith(value));

  const attributes = { k: plain } as never;
  expect(span.attributes).toEqual(attributes);
  expect(span.events).toMatchObject([{ name: "exception", attributes }]);
  expect(span.links).toMatchObject([{ traceId: span.traceId, attributes }]);
  expect(span.resource.attributes).toEqual(attributes);
  expect(span.parentSpanId).toBe("c".repeat(16));
});

test("spans are grouped by trace, in order of arrival", () => {
  const one = plainSpan(spanWith(null));
  const other = { ...one, traceId: "d".repeat(32) };
  const later = { ...one, name: "later" };

  expect(tracesOf([one, other, later])).toEqual([
    { traceId: one.traceId, spans: [one, later] },
    { traceId: other.traceId, spans: [other] },
  ]);
});
