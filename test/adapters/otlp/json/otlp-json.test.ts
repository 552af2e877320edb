import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { AssertionError } from "../../../../src/domain/assert.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import { expectedOtlpJson } from "../../../support/oracles/expected-otlp-json.ts";
import { attribute, request, spanId, traceId } from "../../../support/requests/request-bytes.ts";
import { traceSpanArbitrary } from "../../../support/requests/trace-span-arbitrary.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
} from "../../../support/requests/wire-bytes.ts";

const codec = new ProtobufSpanCodec();

test("the JSON of any spans has the same content as the spans", () => {
  fc.assert(
    fc.property(fc.array(traceSpanArbitrary, { maxLength: 3 }), (spans) => {
      // Concatenated messages are one message, so concatenated requests are one request.
      const bytes = Buffer.concat(spans.map((span) => codec.encode(span)));

      expect(JSON.parse(otlpJson(bytes))).toStrictEqual(expectedOtlpJson(spans));
    }),
  );
});

test("an empty request is written as an empty list", () => {
  expect(otlpJson(request())).toBe('{"resourceSpans":[]}');
});

test("a span with every field is written exactly", () => {
  const bytes = requestOfSpan(
    bytesField(1, traceId(1)),
    bytesField(2, spanId(1)),
    bytesField(3, "a=b"),
    bytesField(4, spanId(2)),
    bytesField(5, 'GET "/"'),
    varintField(6, 2),
    fixed64Field(7, 1_700_000_000_000_000_001n),
    fixed64Field(8, 2n ** 64n - 1n),
    bytesField(9, attribute("key", "value")),
    varintField(10, 4_294_967_295),
    bytesField(11, fixed64Field(1, 1n), bytesField(2, "event"), varintField(4, 1)),
    varintField(12, 2),
    bytesField(13, bytesField(1, traceId(3)), bytesField(2, spanId(4)), fixed32Field(6, 1)),
    varintField(14, 3),
    bytesField(15, bytesField(2, "bad"), varintField(3, 2)),
    fixed32Field(16, 0x8000_0301),
  );

  expect(spanText(bytes)).toBe(
    '{"traceId":"ab070707070707070707070700000001","spanId":"cd01020300000001",' +
      '"traceState":"a=b","parentSpanId":"cd01020300000002","name":"GET \\"/\\"","kind":2,' +
      '"startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"18446744073709551615",' +
      '"attributes":[{"key":"key","value":{"stringValue":"value"}}],' +
      '"droppedAttributesCount":4294967295,' +
      '"events":[{"timeUnixNano":"1","name":"event","droppedAttributesCount":1}],' +
      '"droppedEventsCount":2,' +
      '"links":[{"traceId":"ab070707070707070707070700000003","spanId":"cd01020300000004",' +
      '"flags":1}],"droppedLinksCount":3,"status":{"message":"bad","code":2},' +
      '"flags":2147484417}',
  );
});

test("fields with default values are omitted", () => {
  const zeros = [varintField(6, 0), fixed64Field(7, 0n), varintField(10, 0), fixed32Field(16, 0)];

  expect(spanText(requestOfSpan(bytesField(5), bytesField(4), ...zeros))).toBe("{}");
});

test("a name that looks like a default value is written", () => {
  expect(spanText(requestOfSpan(bytesField(5, "0")))).toBe('{"name":"0"}');
});

test("a time of which only the upper half is not zero is written", () => {
  const text = spanText(requestOfSpan(fixed64Field(7, 2n ** 32n)));

  expect(text).toBe('{"startTimeUnixNano":"4294967296"}');
});

test("an empty message is written", () => {
  expect(spanText(requestOfSpan(bytesField(15)))).toBe('{"status":{}}');
});

const infinity = 0x7ff0_0000_0000_0000n;

test.each<{ name: string; value: number[]; text: string }>([
  { name: "the empty string", value: bytesField(1), text: '{"stringValue":""}' },
  { name: "false", value: varintField(2, 0), text: '{"boolValue":false}' },
  { name: "true in any number", value: varintField(2, 2n ** 40n), text: '{"boolValue":true}' },
  { name: "a zero integer", value: varintField(3, 0), text: '{"intValue":"0"}' },
  {
    name: "the minimum integer",
    value: varintField(3, -(2n ** 63n)),
    text: '{"intValue":"-9223372036854775808"}',
  },
  { name: "zero", value: fixed64Field(4, 0n), text: '{"doubleValue":0}' },
  { name: "minus zero", value: fixed64Field(4, 2n ** 63n), text: '{"doubleValue":-0}' },
  { name: "NaN", value: fixed64Field(4, infinity + 1n), text: '{"doubleValue":"NaN"}' },
  { name: "infinity", value: fixed64Field(4, infinity), text: '{"doubleValue":"Infinity"}' },
  {
    name: "minus infinity",
    value: fixed64Field(4, 2n ** 63n + infinity),
    text: '{"doubleValue":"-Infinity"}',
  },
  { name: "an empty list", value: bytesField(5), text: '{"arrayValue":{}}' },
  { name: "an empty map", value: bytesField(6), text: '{"kvlistValue":{}}' },
  { name: "no bytes", value: bytesField(7), text: '{"bytesValue":""}' },
  { name: "bytes", value: bytesField(7, [0xfb, 0xff]), text: '{"bytesValue":"+/8="}' },
  { name: "nothing", value: [], text: "{}" },
  { name: "an unknown kind", value: varintField(9, 1), text: "{}" },
  {
    name: "a list of an empty value and a string",
    value: bytesField(5, bytesField(1), bytesField(1, bytesField(1, "a"))),
    text: '{"arrayValue":{"values":[{},{"stringValue":"a"}]}}',
  },
  {
    name: "the second of two kinds",
    value: [...bytesField(1, "early"), ...varintField(2, 1)],
    text: '{"boolValue":true}',
  },
  {
    name: "nothing, if an index into a profile's strings comes last",
    value: [...bytesField(1, "early"), ...varintField(8, 1)],
    text: "{}",
  },
  {
    name: "a list in two parts",
    value: [
      ...bytesField(5, bytesField(1, varintField(2, 1))),
      ...varintField(9, 1),
      ...bytesField(5, bytesField(1, varintField(2, 0))),
    ],
    text: '{"arrayValue":{"values":[{"boolValue":true},{"boolValue":false}]}}',
  },
  {
    name: "the part of a list after another kind",
    value: [
      ...bytesField(5, bytesField(1, varintField(2, 1))),
      ...varintField(2, 1),
      ...bytesField(5, bytesField(1, varintField(2, 0))),
    ],
    text: '{"arrayValue":{"values":[{"boolValue":false}]}}',
  },
])("an attribute value is written: $name", ({ value, text }) => {
  const bytes = requestOfSpan(bytesField(9, bytesField(1, "key"), bytesField(2, value)));

  expect(spanText(bytes)).toBe(`{"attributes":[{"key":"key","value":${text}}]}`);
});

test("an attribute without a value is written without its key index", () => {
  const bytes = requestOfSpan(bytesField(9, bytesField(1, "key"), varintField(3, 7)));

  expect(spanText(bytes)).toBe('{"attributes":[{"key":"key"}]}');
});

test("the order of fields and unknown fields do not affect the text", () => {
  const ordered = [
    bytesField(5, "name"),
    bytesField(9, attribute("a", "1")),
    bytesField(9, attribute("b", "2")),
    bytesField(15, varintField(3, 1)),
  ];
  const [name = [], first = [], second = [], status = []] = ordered;
  const unknown = [varintField(17, 1), bytesField(2000, [1]), fixed32Field(33, 1)];

  const mixed = requestOfSpan(status, first, ...unknown, name, second);

  expect(spanText(mixed)).toBe(spanText(requestOfSpan(...ordered)));
});

test("the last value of a repeated field applies", () => {
  expect(spanText(requestOfSpan(varintField(6, 1), varintField(6, 3)))).toBe('{"kind":3}');
});

test("repeated messages are merged, including an empty one", () => {
  const status = [
    bytesField(15, bytesField(2, "bad")),
    bytesField(15),
    bytesField(15, varintField(3, 2)),
  ];

  expect(spanText(requestOfSpan(...status))).toBe('{"status":{"message":"bad","code":2}}');
});

test("an unknown enum value is written as a number", () => {
  expect(spanText(requestOfSpan(varintField(6, -1)))).toBe('{"kind":-1}');
});

test.each([
  { name: "a signed number", field: varintField(6, 2n ** 32n + 3n), text: '{"kind":3}' },
  { name: "a negative number", field: varintField(6, 2n ** 32n - 2n), text: '{"kind":-2}' },
  {
    name: "an unsigned number",
    field: varintField(14, 2n ** 63n + 5n),
    text: '{"droppedLinksCount":5}',
  },
])("the low 32 bits of an overlong varint apply: $name", ({ field, text }) => {
  expect(spanText(requestOfSpan(field))).toBe(text);
});

test("invalid UTF-8 is written with replacement characters", () => {
  const text = spanText(requestOfSpan(bytesField(5, [0x61, 0xff, 0xed, 0xa0, 0x80])));

  expect(JSON.parse(text).name).toMatch(/^a\ufffd+$/);
});

test("a byte order mark in a text is kept", () => {
  expect(JSON.parse(spanText(requestOfSpan(bytesField(5, "\ufeffa")))).name).toBe("\ufeffa");
});

test.each([
  { name: "a group", bytes: [0x0b, 0x0c] },
  { name: "a truncated tag", bytes: [0xff] },
  { name: "a truncated length", bytes: [0x0a, 0xff] },
  { name: "a field longer than its message", bytes: [0x0a, 5, 0] },
  { name: "a truncated varint", bytes: [0x0a, 2, 0x08, 0xff] },
])("bytes that the wire walk refuses fail an assertion: $name", ({ bytes }) => {
  expect(() => otlpJson(Uint8Array.from(bytes))).toThrow(AssertionError);
});

function requestOfSpan(...fields: number[][]): Uint8Array<ArrayBuffer> {
  return request(bytesField(1, bytesField(2, bytesField(2, ...fields))));
}

/** Returns the text of the only span of a request by `requestOfSpan`. */
function spanText(bytes: Uint8Array): string {
  const text = otlpJson(bytes);
  const begin = '{"resourceSpans":[{"scopeSpans":[{"spans":[';
  expect(text).toStartWith(begin);
  return text.slice(begin.length, -"]}]}]}".length);
}
