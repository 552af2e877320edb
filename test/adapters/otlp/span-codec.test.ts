import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import type { AttributeValue, TraceSpan } from "../../../src/domain/trace-span.ts";
import { request, resourceSpans, span, spanBody } from "../../support/requests/request-bytes.ts";
import { plainSpan } from "../../support/requests/plain-span.ts";
import { traceSpanArbitrary } from "../../support/requests/trace-span-arbitrary.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

const codec = new ProtobufSpanCodec();

test("any span is encoded and decoded without loss", () => {
  fc.assert(
    fc.property(traceSpanArbitrary, (traceSpan) => {
      expect(codec.decode(codec.encode(traceSpan))).toStrictEqual([traceSpan]);
    }),
  );
});

test("spans are decoded in wire order, each with its resource and scope", () => {
  const bytes = request(resourceSpans("shop", span(1), span(2)), resourceSpans("bank", span(3)));

  const spans = codec.decode(bytes);

  expect(spans.map(({ name }) => name)).toEqual(["span 1", "span 2", "span 3"]);
  expect(spans.map(serviceName)).toEqual(["shop", "shop", "bank"]);
  expect(spans[0]?.scope).toMatchObject({ name: "spanring.test", schemaUrl: "scope schema" });
});

test("a span without resource and scope gets empty ones", () => {
  const bytes = request(bytesField(1, bytesField(2, span(1))));

  const [decoded] = codec.decode(bytes);

  expect(decoded?.resource).toStrictEqual(plainSpan().resource);
  expect(decoded?.scope).toStrictEqual(plainSpan().scope);
  expect(decoded?.status).toStrictEqual({ code: 0, message: "" });
});

test("a decoded root span has no parentSpanId", () => {
  const [decoded] = codec.decode(request(resourceSpans("shop", span(1))));

  expect(decoded).not.toHaveProperty("parentSpanId");
});

test("a parent id of zeros, which some senders write on root spans, is read as absent", () => {
  const root = bytesField(2, spanBody(1), bytesField(4, Array<number>(8).fill(0)));

  const [decoded] = codec.decode(request(resourceSpans("shop", root)));

  expect(decoded).not.toHaveProperty("parentSpanId");
});

const number7 = bytesField(7, [1, 2, 3]);

test.each<{ name: string; value: number[]; expected: AttributeValue }>([
  { name: "an empty value is null", value: bytesField(2), expected: null },
  { name: "a missing value is null", value: [], expected: null },
  {
    name: "a zero is a value",
    value: bytesField(2, varintField(3, 0)),
    expected: { type: "int", value: 0n },
  },
  {
    name: "an index into a profile's strings is read as absent",
    value: [...bytesField(2, varintField(8, 5)), ...varintField(3, 5)],
    expected: null,
  },
  {
    name: "the last of two kinds applies",
    value: bytesField(2, bytesField(1, "early"), varintField(2, 1)),
    expected: { type: "bool", value: true },
  },
  {
    name: "an empty map is kept",
    value: bytesField(2, bytesField(6)),
    expected: { type: "kvlist", value: [] },
  },
])("attribute values: $name", ({ value, expected }) => {
  const attribute = bytesField(9, bytesField(1, "key"), value);

  const [decoded] = codec.decode(request(resourceSpans("shop", span(1, attribute))));

  expect(decoded?.attributes).toStrictEqual([{ key: "key", value: expected }]);
});

test("a decoded span does not change when the memory of its request is reused", () => {
  const attribute = bytesField(9, bytesField(1, "key"), bytesField(2, number7));
  const bytes = request(resourceSpans("shop", span(1, attribute)));

  const [decoded] = codec.decode(bytes);
  bytes.fill(0xee);

  expect(decoded?.traceId).toBe("ab070707070707070707070700000001");
  expect(decoded?.attributes[0]?.value).toEqual({ type: "bytes", value: Uint8Array.of(1, 2, 3) });
});

test("encoded bytes have their own memory", () => {
  const bytes = codec.encode(plainSpan());

  expect(bytes.buffer.byteLength).toBe(bytes.length);
});

test("a request within shared memory can be decoded", () => {
  const bytes = request(resourceSpans("shop", span(1)));
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
  shared.set(bytes);

  const [decoded] = codec.decode(shared);

  expect(decoded?.name).toBe("span 1");
});

test("invalid UTF-8 is decoded with replacement characters", () => {
  const body = [...spanBody(1), ...bytesField(5, [0x61, 0xff])];

  const [decoded] = codec.decode(request(bytesField(1, bytesField(2, bytesField(2, body)))));

  expect(decoded?.name).toBe("a\ufffd");
});

// The walk decides about such bytes: this test only checks that an invalid identifier does not
// become a valid one.
test.each([
  { name: "not hex", spanId: "zzzzzzzzzzzzzzzz" },
  { name: "half a byte too long", spanId: "00112233445566778" },
  { name: "hex with a tail", spanId: "0011223344556677--" },
])("an identifier that is $name is encoded with a wrong length", ({ spanId }) => {
  const [decoded] = codec.decode(codec.encode({ ...plainSpan(), spanId }));

  expect(decoded?.spanId).toBe("00");
});

test("an upper-case identifier is decoded in lower case", () => {
  const [decoded] = codec.decode(codec.encode({ ...plainSpan(), spanId: "00112233AABBCCDD" }));

  expect(decoded?.spanId).toBe("00112233aabbccdd");
});

function serviceName({ resource }: TraceSpan): unknown {
  return resource.attributes[0]?.value?.value;
}
