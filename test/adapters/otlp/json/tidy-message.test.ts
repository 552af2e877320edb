import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { SHAPES } from "../../../../src/adapters/otlp/json/json-shape.ts";
import { tidyMessage } from "../../../../src/adapters/otlp/json/tidy-message.ts";
import { attribute, request, spanId, traceId } from "../../../support/requests/request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "../../../support/requests/wire-bytes.ts";

test.each([
  {
    name: "fields are put in order, and unknown ones left out",
    fields: [bytesField(9, [1]), varintField(99, 1), varintField(6, 1), bytesField(9, [2])],
    tidy: [varintField(6, 1), bytesField(9, [1]), bytesField(9, [2])],
  },
  {
    name: "the last value of a scalar applies",
    fields: [varintField(6, 1), bytesField(5, "name"), varintField(6, 2)],
    tidy: [bytesField(5, "name"), varintField(6, 2)],
  },
  {
    name: "the parts of a message are joined",
    fields: [bytesField(15, "ab"), bytesField(15), bytesField(15, "c".repeat(126))],
    tidy: [bytesField(15, "ab", "c".repeat(126))],
  },
])("$name", ({ fields, tidy }) => {
  const wire = Uint8Array.from([7, ...fields.flat(), 7]);

  const { bytes, end } = tidyMessage(SHAPES.Span, wire, 1, wire.length - 1);

  expect([...bytes.subarray(0, end)]).toEqual(tidy.flat());
});

test.each([
  {
    name: "the last member of a oneof remains",
    fields: [bytesField(1, "early"), varintField(2, 1)],
    tidy: [varintField(2, 1)],
  },
  {
    name: "only the parts after another member are joined",
    fields: [bytesField(5, "a"), varintField(2, 1), bytesField(5, "b"), bytesField(5, "c")],
    tidy: [bytesField(5, "bc")],
  },
])("$name", ({ fields, tidy }) => {
  const wire = Uint8Array.from(fields.flat());

  const { bytes, end } = tidyMessage(SHAPES.AnyValue, wire, 0, wire.length);

  expect([...bytes.subarray(0, end)]).toEqual(tidy.flat());
});

/** Fields of a span, some of which contain messages that are not tidy themselves. */
const FIELDS = [
  bytesField(1, traceId(1)),
  bytesField(2, spanId(1)),
  bytesField(3, ""),
  bytesField(5, "name"),
  bytesField(5, 'na"me'),
  varintField(6, 0),
  varintField(6, 2),
  fixed64Field(7, 0n),
  fixed64Field(7, 1_700_000_000_000_000_001n),
  bytesField(9, attribute("a", "b")),
  bytesField(9, bytesField(2, varintField(3, 1), bytesField(1, "c")), bytesField(1, "late key")),
  bytesField(9, bytesField(1, "k"), bytesField(2, bytesField(5)), bytesField(2, varintField(2, 0))),
  bytesField(11, bytesField(2, "event"), fixed64Field(1, 1n)),
  bytesField(15, varintField(3, 2)),
  bytesField(15, bytesField(2, "message")),
  bytesField(15),
  varintField(17, 1),
];

// Goal: small messages, which are written at once, and large ones, which are written in steps,
// become the same JSON whatever their fields.
// Method: an unknown field makes a message large.
test("the size of a message does not affect how it is written", () => {
  const large = bytesField(2000, "x".repeat(5_000));
  const fields = fc.array(fc.constantFrom(...FIELDS), { maxLength: 12 });

  fc.assert(
    fc.property(fields, (span) => {
      expect(otlpJson(requestOfSpan(...span, large))).toBe(otlpJson(requestOfSpan(...span)));
    }),
    { numRuns: 500 },
  );
});

function requestOfSpan(...fields: number[][]): Uint8Array<ArrayBuffer> {
  return request(bytesField(1, bytesField(2, bytesField(2, ...fields))));
}
