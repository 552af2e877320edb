import * as fc from "fast-check";
import type { SpanCondition, SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { unknownFields } from "./hand-built-requests.ts";
import { attribute, spanId, traceId } from "./request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  tag,
  varintField,
  wideBytesField,
  wideVarint,
} from "./wire-bytes.ts";

/**
 * Requests and filters that often match, because both are drawn from the same few names, keys,
 * values and times. Spans have every form that the encoding allows: fields in any order and
 * repeated, tags and numbers wider than necessary, values of several kinds, resources in pieces.
 */

const NAMES = ["", "GET /", "GET /orders", "GET /orderz", "péché", "\ufeffx", "n".repeat(130)];
const SERVICES = ["shop", "bank", "", "unknown_service"];
const KEYS = ["k", "key", "service.name", "http.response.status_code", "k".repeat(128)];
const TEXTS = ["", "0", "1", "-1", "200", "200.0", "0.5", "true", "false", "NaN", "1e3", "ü"];
const WHOLE = [0n, 1n, -1n, 200n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)];
const DOUBLES = [0, -0, 0.5, 200, 1000, -1, Number.NaN, Number.POSITIVE_INFINITY];
const TIMES = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, 2n ** 64n - 1n];
const NUMBERS = [1, 2, 3];

type Bytes = number[];

const width = (widest: number) =>
  fc.oneof(
    { arbitrary: fc.constant(1), weight: 6 },
    { arbitrary: fc.integer({ min: 2, max: widest }), weight: 1 },
  );

const withHead = (fieldNumber: number, body: fc.Arbitrary<Bytes>) =>
  fc
    .tuple(body, width(5), width(5))
    .map(([bytes, tagBytes, lengthBytes]) =>
      wideBytesField(fieldNumber, { tag: tagBytes, length: lengthBytes }, bytes),
    );

const wideVarintField = (fieldNumber: number, values: fc.Arbitrary<bigint>) =>
  fc
    .tuple(values, width(5), width(10))
    .map(([value, tagBytes, valueBytes]) => [
      ...wideVarint(fieldNumber * 8, tagBytes),
      ...wideVarint(value, valueBytes),
    ]);

const textField = (fieldNumber: number, ...texts: string[]) =>
  withHead(
    fieldNumber,
    fc.constantFrom(...texts).map((text) => Array.from(new TextEncoder().encode(text))),
  );

const fieldsOf = (fields: fc.Arbitrary<Bytes>[], maxLength: number) =>
  fc.array(fc.oneof(...fields), { maxLength }).map((all) => all.flat());

function doubleField(value: number): Bytes {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  return fixed64Field(4, bits);
}

const unknownField = fc.constantFrom(...unknownFields);

const listItems = fc.constantFrom(
  bytesField(5, bytesField(1, bytesField(1, "GET in a list")), bytesField(1, varintField(3, 200))),
  bytesField(6, bytesField(1, attribute("key", "ORDERS")), unknownFields[0]!),
);

const anyValue = fieldsOf(
  [
    textField(1, ...TEXTS),
    listItems,
    wideVarintField(2, fc.constantFrom(0n, 1n, 2n ** 40n)),
    wideVarintField(3, fc.constantFrom(...WHOLE)),
    fc.constantFrom(...DOUBLES).map(doubleField),
    fc.constantFrom(bytesField(5, bytesField(1)), bytesField(6), bytesField(7, "200")),
    fc.constantFrom(varintField(8, 1)),
    unknownField,
  ],
  2,
);

const plainAttribute = fc
  .tuple(fc.constantFrom(...KEYS), fc.constantFrom(...TEXTS, ...SERVICES))
  .map(([key, value]) => attribute(key, value));

const oddAttribute = fieldsOf([textField(1, ...KEYS), withHead(2, anyValue), unknownField], 4);

const keyValue = fc.oneof(plainAttribute, oddAttribute);

const status = fieldsOf(
  [wideVarintField(3, fc.constantFrom(0n, 1n, 2n)), textField(2, "no", "GET failed")],
  2,
);

const time = (fieldNumber: number) =>
  fc.constantFrom(...TIMES).map((value) => fixed64Field(fieldNumber, value));

const otherSpanField = fc.constantFrom(
  bytesField(11, bytesField(2, "Order"), bytesField(2, "placed")),
  bytesField(
    13,
    bytesField(1, traceId(1)),
    bytesField(2, spanId(1)),
    bytesField(4, attribute("key", "a GET")),
  ),
  bytesField(
    13,
    bytesField(2, spanId(1)),
    bytesField(1, traceId(1)),
    bytesField(1, traceId(2)),
    bytesField(2, spanId(2)),
  ),
  bytesField(3, "a=b"),
  bytesField(4, spanId(9)),
  bytesField(11, bytesField(2, "event"), bytesField(3, attribute("key", "200"))),
  varintField(10, 300),
  varintField(12, 0),
  [...tag(16, 5), 1, 1, 0, 0],
  ...unknownFields,
);

const traceIdField = withHead(1, fc.constantFrom(...NUMBERS).map(traceId));
const spanIdField = withHead(2, fc.constantFrom(...NUMBERS).map(spanId));

const spanBody = fc
  .tuple(
    traceIdField,
    spanIdField,
    fieldsOf(
      [
        textField(5, ...NAMES),
        wideVarintField(6, fc.constantFrom(0n, 1n, 2n, 5n, 2n ** 32n + 2n)),
        time(7),
        time(8),
        withHead(9, keyValue),
        withHead(9, keyValue),
        withHead(15, status),
        otherSpanField,
        traceIdField,
        spanIdField,
      ],
      9,
    ),
    fc.boolean(),
  )
  .map(([trace, id, rest, isIdsLast]) =>
    isIdsLast ? [...rest, ...id, ...trace] : [...trace, ...id, ...rest],
  );

const serviceAttribute = fc
  .constantFrom(...SERVICES)
  .map((service) => bytesField(1, attribute("service.name", service)));

const resource = fieldsOf([serviceAttribute, withHead(1, keyValue), unknownField], 3);

const scopeSpans = fc.array(withHead(2, spanBody), { maxLength: 4 }).map((spans) => spans.flat());

const resourceSpans = fieldsOf(
  [withHead(1, resource), withHead(2, scopeSpans), withHead(2, scopeSpans), unknownField],
  5,
);

/** Generates requests with only valid spans. */
export const queryableRequest: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc
  .array(withHead(1, resourceSpans), { maxLength: 3 })
  .map((all) => Uint8Array.from(all.flat()));

const hex = (bytes: Bytes) => Uint8Array.from(bytes).toHex();

const condition: fc.Arbitrary<SpanCondition> = fc.oneof(
  fc.record({ on: fc.constant("service" as const), value: fc.constantFrom(...SERVICES) }),
  fc.record({ on: fc.constant("name" as const), value: fc.constantFrom(...NAMES) }),
  fc.record({
    on: fc.constantFrom("name_contains" as const, "text" as const),
    value: fc.constantFrom("get", "ORDER", "orders", "é", "200", "1", "true", "list", "no", "nnnn"),
  }),
  fc.record({
    on: fc.constant("name_matches" as const),
    value: fc.constantFrom("", "*", "get *", "*orders", "*/*e*", "G*r*s", "get /orders", "**n"),
  }),
  fc.record({ on: fc.constant("attribute_exists" as const), value: fc.constantFrom(...KEYS) }),
  fc.record({
    on: fc.constant("attribute_matches" as const),
    key: fc.constantFrom(...KEYS),
    value: fc.constantFrom("*", "", "2*", "*e*", "/*"),
  }),
  fc.record({
    on: fc.constant("attribute_number" as const),
    key: fc.constantFrom(...KEYS),
    comparison: fc.constantFrom(...([">=", "<=", ">", "<"] as const)),
    number: fc.constantFrom(0, 0.5, 1, 200, -(2 ** 63), 2 ** 63, 2 ** 31),
  }),
  fc.record({
    on: fc.constant("trace_id" as const),
    value: fc.constantFrom(...NUMBERS).map((number) => hex(traceId(number))),
  }),
  fc.record({
    on: fc.constant("span_id" as const),
    value: fc.constantFrom(...NUMBERS).map((number) => hex(spanId(number))),
  }),
  fc.record({
    on: fc.constant("links_to" as const),
    value: fc.constantFrom(hex(traceId(1)), hex(spanId(1)), hex(traceId(2)), hex(spanId(2))),
  }),
  fc.record({ on: fc.constantFrom("kind" as const, "status" as const), value: fc.nat({ max: 5 }) }),
  fc.record({
    on: fc.constant("attribute" as const),
    key: fc.constantFrom(...KEYS),
    value: fc.constantFrom(...TEXTS, ...SERVICES, ...WHOLE.map(String), "2147483648"),
  }),
  fc.record({
    on: fc.constantFrom("min_duration" as const, "max_duration" as const),
    durationNano: fc.constantFrom(...TIMES, 2n ** 64n),
  }),
  fc.record({
    on: fc.constantFrom("since" as const, "until" as const),
    unixNano: fc.constantFrom(...TIMES, -1n, -(2n ** 40n), 2n ** 64n, 2n ** 80n),
  }),
);

export const filterArbitrary: fc.Arbitrary<SpanFilter> = fc.array(condition, { maxLength: 3 });
