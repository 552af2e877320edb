import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  skipPlainAttributes,
  skipPlainFields,
  skipPlainIds,
} from "../../../src/domain/wire/plain-fields.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { fullSpanBody } from "../../support/requests/hand-built-requests.ts";
import { referenceWalk } from "../../support/oracles/reference-walk.ts";
import { byteChangeArbitrary, changed } from "../../support/requests/request-arbitrary.ts";
import {
  attribute,
  request,
  serverSpan,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
  wideBytesField,
} from "../../support/requests/wire-bytes.ts";

const ids = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1))];
const text = (length: number) => "x".repeat(length);
const value = (...bytes: number[]) => bytesField(9, bytesField(1, "k"), bytesField(2, bytes));

function skippedFields(bytes: readonly number[]): number {
  return skipPlainFields(Uint8Array.from(bytes), 0, bytes.length);
}

function skippedAttributes(bytes: readonly number[], tagByte: number): number {
  return skipPlainAttributes(Uint8Array.from(bytes), tagByte, 0, bytes.length);
}

test("all fields of a web server's spans are plain", () => {
  const body = Uint8Array.from(serverSpan(1).slice(3));

  const idsEnd = skipPlainIds(body, 0, body.length);

  expect(idsEnd).toBe(ids.length);
  expect(skipPlainFields(body, idsEnd, body.length)).toBe(body.length);
});

test.each([
  { name: "a name", field: bytesField(5, "name") },
  { name: "a name of 127 bytes", field: bytesField(5, text(127)) },
  { name: "a trace state", field: bytesField(3, "a=b") },
  { name: "a kind", field: varintField(6, 3) },
  { name: "a start time", field: fixed64Field(7, 1n) },
  { name: "an end time", field: fixed64Field(8, 1n) },
  { name: "flags", field: fixed32Field(16, 0x101) },
  { name: "a status code", field: bytesField(15, varintField(3, 2)) },
  { name: "a count of dropped attributes", field: varintField(10, 0) },
  { name: "a count of dropped events", field: varintField(12, 0) },
  { name: "a count of dropped links", field: varintField(14, 127) },
  { name: "a string attribute", field: bytesField(9, attribute("key", "value")) },
  { name: "an attribute with an empty string", field: bytesField(9, attribute("", "")) },
  { name: "a bool", field: value(0x10, 1) },
  { name: "an int of one byte", field: value(0x18, 0x7f) },
  { name: "an int of two bytes", field: value(0x18, 0x80, 0x01) },
  { name: "a double", field: value(0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f) },
])("$name is plain", ({ field }) => {
  expect(skippedFields(field)).toBe(field.length);
  expect(skippedFields([...field, ...fixed64Field(7, 0n)])).toBe(field.length + 9);
});

test.each([
  { name: "an identifier", field: bytesField(1, traceId(2)) },
  { name: "a span id", field: bytesField(2, spanId(2)) },
  { name: "a parent", field: bytesField(4, spanId(2)) },
  { name: "a link", field: bytesField(13) },
  { name: "an event", field: bytesField(11) },
  { name: "a name of 128 bytes", field: bytesField(5, text(128)) },
  { name: "a wide tag", field: wideBytesField(5, { tag: 2, length: 1 }) },
  { name: "a wide length", field: wideBytesField(5, { tag: 1, length: 2 }) },
  { name: "a kind in two bytes", field: [0x30, 0x82, 0x00] },
  { name: "a dropped count in two bytes", field: varintField(10, 128) },
  { name: "a status with a message", field: bytesField(15, bytesField(2, "no"), [0x18, 2]) },
  { name: "a status code in two bytes", field: [0x7a, 3, 0x18, 0x82, 0x00] },
  { name: "another field in place of the status code", field: [0x7a, 2, 0x08, 1] },
  { name: "an attribute without a value", field: bytesField(9, bytesField(1, "long enough")) },
  { name: "an attribute without a key", field: bytesField(9, bytesField(2, bytesField(1, "v"))) },
  { name: "a value before its key", field: bytesField(9, bytesField(2), bytesField(1, "k")) },
  {
    name: "a length of two bytes, the second of which would begin a plain attribute",
    field: [0x4a, 0x80, ...bytesField(1, "keyword"), ...bytesField(2, bytesField(1, text(115)))],
  },
  { name: "a status code that does not end", field: [0x7a, 2, 0x18, 0x82] },
  { name: "a value without a kind", field: value() },
  { name: "a value of two kinds", field: value(0x10, 1, 0x18, 1) },
  { name: "an int of three bytes", field: value(0x18, 0x80, 0x80, 0x01) },
  { name: "a list", field: value(0x2a, 0) },
  { name: "bytes", field: value(0x3a, 1, 0) },
  { name: "a value by index", field: value(0x40, 1) },
  { name: "a key by index", field: bytesField(9, attribute("k", "v"), varintField(3, 1)) },
  { name: "a string longer than its value", field: value(0x0a, 2, 0x61) },
  { name: "a string shorter than its value", field: value(0x0a, 0, 0x61) },
  { name: "a double with a byte too many", field: value(0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
  { name: "a double with a byte too few", field: value(0x21, 0, 0, 0, 0, 0, 0, 0) },
  { name: "an int that does not end", field: value(0x18, 0x80, 0x80) },
  { name: "a field of two bytes that is not the flags", field: [0x85, 0x02, 0, 0, 0, 0] },
  { name: "an unknown field", field: fixed32Field(17, 0) },
])("$name is left to the general walk", ({ field }) => {
  expect(skippedFields([...field, ...fixed64Field(7, 0n), ...fixed64Field(7, 0n)])).toBe(0);
});

test.each([
  { name: "no identifiers", body: [], taken: 0 },
  { name: "both identifiers", body: ids, taken: 28 },
  { name: "both, and a parent", body: [...ids, ...bytesField(4, spanId(2))], taken: 38 },
  { name: "both, and a parent cut off", body: [...ids, 0x22, 8, 1, 2], taken: 28 },
  { name: "both, and an empty parent", body: [...ids, 0x22, 0], taken: 28 },
  { name: "the span id first", body: [...ids.slice(18), ...ids.slice(0, 18)], taken: 0 },
  {
    name: "a trace id of zeros",
    body: [...bytesField(1, Array(16).fill(0)), ...ids.slice(18)],
    taken: 0,
  },
  {
    name: "a span id of zeros",
    body: [...ids.slice(0, 20), ...Array<number>(8).fill(0)],
    taken: 0,
  },
  { name: "a span id cut off", body: ids.slice(0, 27), taken: 0 },
  { name: "a trace id of 17 bytes", body: [0x0a, 17, ...ids.slice(2)], taken: 0 },
  { name: "a span id of 9 bytes", body: [...ids.slice(0, 19), 9, ...ids.slice(20)], taken: 0 },
])("the plain identifiers of a span with $name have $taken bytes", ({ body, taken }) => {
  const bytes = Uint8Array.from([0xee, ...body, ...bytesField(4, spanId(3))]);

  expect(skipPlainIds(bytes, 1, body.length)).toBe(1 + taken);
});

test("attributes of events and links are plain under their own tag", () => {
  const attributes = [
    ...bytesField(3, attribute("k", "v")),
    ...bytesField(3, attribute("key", "value")),
  ];

  expect(skippedAttributes(attributes, 0x1a)).toBe(attributes.length);
  expect(skippedAttributes(attributes, 0x22)).toBe(0);
  expect(skippedAttributes([...attributes, ...bytesField(3, bytesField(1, "k"))], 0x1a)).toBe(
    attributes.length,
  );
  expect(skippedAttributes([...attributes, 0x1a], 0x1a)).toBe(attributes.length);
  expect(skippedAttributes([...attributes, 0x1a, 9, 0x0a], 0x1a)).toBe(attributes.length);
});

const bodies = fc
  .tuple(
    fc.constantFrom(fullSpanBody.slice(28), serverSpan(1).slice(31)),
    fc.array(byteChangeArbitrary, { maxLength: 2 }),
    fc.nat({ max: 400 }),
  )
  .map(([body, changes, start]) => changed(Uint8Array.from(body), changes).slice(start % 60));

// Goal: the fast path is never wrong. Method: the reference walk accepts all fields that it skips.
test("plain fields are a run of complete fields without an identifier", () => {
  const property = fc.property(bodies, (body) => {
    const taken = body.subarray(0, skipPlainFields(body, 0, body.length));
    const span = request(bytesField(1, bytesField(2, bytesField(2, ids, Array.from(taken)))));

    const answer = referenceWalk(span, { spansPerRequest: 1, nestingDepth: 6 });

    expect(answer).toMatchObject({ fault: 0, rejectedSpans: 0, sawProfilesOnlyField: false });
  });

  fc.assert(property, { numRuns: fuzzRuns(3_000) });
});

test("bytes after a span do not affect its plain fields", () => {
  const property = fc.property(bodies, fc.uint8Array({ maxLength: 12 }), (body, behind) => {
    const longer = Uint8Array.from([...body, ...behind]);

    expect(skipPlainFields(longer, 0, body.length)).toBe(skipPlainFields(body, 0, body.length));
    expect(skipPlainIds(longer, 0, body.length)).toBe(skipPlainIds(body, 0, body.length));
  });

  fc.assert(property, { numRuns: fuzzRuns(3_000) });
});
