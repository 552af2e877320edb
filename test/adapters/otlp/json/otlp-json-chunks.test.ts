import { expect, test } from "bun:test";
import { AssertionError } from "../../../../src/domain/assert.ts";
import { otlpJson, otlpJsonChunks } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import type { Attribute, AttributeValue } from "../../../../src/domain/trace-span.ts";
import { expectedOtlpJson } from "../../../support/oracles/expected-otlp-json.ts";
import { plainSpan } from "../../../support/requests/plain-span.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span as spanField,
} from "../../../support/requests/request-bytes.ts";
import { bytesField } from "../../../support/requests/wire-bytes.ts";

const codec = new ProtobufSpanCodec();

test("a large request is written in chunks of the same text", () => {
  const parts = Array.from({ length: 40 }, (_, index) => requestOf(100, index * 100 + 1));
  const bytes = Buffer.concat(parts);

  const chunks = [...otlpJsonChunks(bytes)];

  const lengths = chunks.map((chunk) => chunk.length);
  expect(chunks.length).toBeGreaterThan(5);
  expect(Math.max(...lengths)).toBeLessThan(66_000);
  expect(Buffer.concat(chunks).toString()).toBe(otlpJson(bytes));
  expect(JSON.parse(otlpJson(bytes)).resourceSpans).toHaveLength(40);
});

test("a large span is written in chunks of the same text", () => {
  const attributes = Array.from({ length: 2000 }, (_, index): Attribute => ({
    key: `key ${index}`,
    value: { type: "string", value: "value".repeat(index % 20) },
  }));
  const map: AttributeValue = { type: "kvlist", value: attributes };
  const list: AttributeValue = { type: "array", value: [map, null, map] };
  const span = {
    ...plainSpan(),
    name: "large",
    attributes: [{ key: "list", value: list }, ...attributes],
    resource: { ...plainSpan().resource, attributes },
  };

  const chunks = [...otlpJsonChunks(codec.encode(span))];

  expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(66_000);
  expect(JSON.parse(Buffer.concat(chunks).toString())).toStrictEqual(expectedOtlpJson([span]));
});

test("a long text is written in chunks", () => {
  const text = 'a "b"\n\u00e9\u{1f600}'.repeat(40_000);

  const chunks = [
    ...otlpJsonChunks(request(bytesField(1, bytesField(2, bytesField(2, bytesField(5, text)))))),
  ];

  const json = JSON.parse(Buffer.concat(chunks).toString());
  expect(json.resourceSpans[0].scopeSpans[0].spans).toEqual([{ name: text }]);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(66_000);
});

test("the first chunk is written before the second block is read", () => {
  const broken = bytesField(1, bytesField(2, [0xff]));
  const bytes = Buffer.concat([requestOf(1000), Uint8Array.from(broken)]);

  const chunks = otlpJsonChunks(bytes);

  expect(chunks.next().value).toBeInstanceOf(Uint8Array);
  expect(() => [...chunks]).toThrow(AssertionError);
});

test("the first chunk is written before the last span of a scope is read", () => {
  const spans = Array.from({ length: 1000 }, (_, index) => spanField(index + 1));
  const bytes = request(resourceSpans("shop", ...spans, bytesField(2, [0xff])));

  const chunks = otlpJsonChunks(bytes);

  expect(chunks.next().value).toBeInstanceOf(Uint8Array);
  expect(() => [...chunks]).toThrow(AssertionError);
});
