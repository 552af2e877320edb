import { describe, expect, test } from "bun:test";
import type { FileRequest } from "../../../../src/adapters/otlp-files/file-request.ts";
import {
  jsonSlices,
  protoSlices,
  requestSlices,
} from "../../../../src/adapters/cli/files/request-slices.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { request, span } from "../../../support/requests/request-bytes.ts";
import { bytesField } from "../../../support/requests/wire-bytes.ts";

/** An invalid span without identifiers. */
const nameless = bytesField(2, bytesField(5, "no identifiers"));
const unknown = bytesField(99, "unknown");

/** Encodes the fields around the spans first, in the order of a slice. */
function scopeOf(schema: string, ...spans: number[][]): number[] {
  return bytesField(1, bytesField(3, schema), bytesField(2, bytesField(3, schema), ...spans));
}

const SHOP = scopeOf("shop", span(1), nameless, span(2));
const CART = scopeOf("cart", span(3));

test("a slice of a protobuf request has its spans and the fields around them", () => {
  const slices = [...protoSlices(request(unknown, SHOP, CART), 2)];

  expect(slices.map((slice) => Buffer.from(slice))).toEqual([
    Buffer.from(request(unknown, scopeOf("shop", span(1), nameless))),
    Buffer.from(request(unknown, scopeOf("shop", span(2)), CART)),
  ]);
});

const onlySpan = (number: number) =>
  Buffer.from(request(bytesField(1, bytesField(2, bytesField(3, "schema"), span(number)))));

test("a scope with separated spans is cut too, and one without spans is omitted", () => {
  const apart = bytesField(1, bytesField(2, span(1), bytesField(3, "schema"), span(2)));
  const empty = bytesField(1, bytesField(2, bytesField(3, "schema")));

  const slices = [...protoSlices(request(apart, empty), 1)];

  expect(slices.map((slice) => Buffer.from(slice))).toEqual([onlySpan(1), onlySpan(2)]);
});

const spansOf = (name: string) =>
  `{"x":1,"scopeSpans":[{"y":"${name}","spans":[{"name":"${name} 1"},{"name":"${name} 2"}]}]}`;
const slicesOf = (text: string, maxSpans: number) =>
  [...jsonSlices(Buffer.from(text), maxSpans)].map((slice) => Buffer.from(slice).toString());

describe("a JSON request", () => {
  test("is cut into slices that have their spans and the members around them", () => {
    const text = `{"z":[],"resourceSpans":[${spansOf("a")},${spansOf("b")}]}`;

    const [first, second, ...others] = slicesOf(text, 3);

    expect(first).toBe(text.replace(',{"name":"b 2"}', ""));
    expect(second).toBe(
      `{"z":[],"resourceSpans":[${spansOf("b").replace('{"name":"b 1"},', "")}]}`,
    );
    expect(others).toEqual([]);
  });

  test("keeps the digits of its numbers", () => {
    const odd = '{"n":[12345678901234567890,1.50,-0,1e2,7,0.1]}';
    const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[${odd},{}]}]}]}`;

    expect(slicesOf(text, 1)[0]).toBe(text.replace(",{}", ""));
  });
});

test.each([
  { contentType: "application/x-protobuf", bytes: request(SHOP, CART) },
  { contentType: "application/json", bytes: Buffer.from(otlpJson(request(SHOP, CART))) },
] as const)("slices of $contentType together have all spans and all bytes of the file", (each) => {
  const whole: FileRequest = {
    ...each,
    spanCount: 4,
    earliestStartMs: () => undefined,
    fileBytes: 1001,
  };

  const slices = [...requestSlices(whole, 3)];

  expect(slices.map(({ spanCount }) => spanCount)).toEqual([3, 1]);
  expect(slices.map(({ fileBytes }) => fileBytes)).toEqual([751, 250]);
  expect([...requestSlices(whole, 4)]).toEqual([whole]);
});
