import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { fromUint64 } from "../../../src/adapters/otlp/span-codec.ts";
import { uint64At } from "../../../src/domain/wire/scalars.ts";
import { ABSENT, createSpanFields, readSpanFields } from "../../../src/domain/wire/span-fields.ts";
import {
  type DecodedSpan,
  decodeSpans,
  isValidSpan,
} from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { fullSpanBody, handBuiltRequests } from "../../support/requests/hand-built-requests.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";
import { requestArbitrary } from "../../support/requests/request-arbitrary.ts";
import { spanBody, spanId, traceId } from "../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  tag,
  varintField,
  wideVarint,
} from "../../support/requests/wire-bytes.ts";

// All cases share one object, so that remains of one span would show in the next.
const fields = createSpanFields();

/** Returns the fields as values. */
function valuesAt(bytes: Uint8Array, offset: number, length: number) {
  readSpanFields(fields, bytes, offset, length);
  const { traceIdAt, spanIdAt, nameStart, nameEnd, parentStart, parentEnd } = fields;
  const time = (at: number) => (at === ABSENT ? 0n : uint64At(bytes, at));
  return {
    traceId: bytes.subarray(traceIdAt, traceIdAt + 16).toHex(),
    spanId: bytes.subarray(spanIdAt, spanIdAt + 8).toHex(),
    parent: bytes.subarray(parentStart, parentEnd).toHex(),
    name: Buffer.from(bytes.subarray(nameStart, nameEnd)).toString(),
    kind: fields.kind,
    start: time(fields.startTimeAt),
    end: time(fields.endTimeAt),
    status: fields.statusCode,
  };
}

type Values = ReturnType<typeof valuesAt>;

function decodedValues({ span }: DecodedSpan): Values {
  return {
    traceId: span.traceId.toHex(),
    spanId: span.spanId.toHex(),
    parent: span.parentSpanId.toHex(),
    name: span.name,
    kind: span.kind,
    start: fromUint64(span.startTimeUnixNano),
    end: fromUint64(span.endTimeUnixNano),
    status: span.status?.code ?? 0,
  };
}

function readValues(request: Uint8Array): Values[] {
  return locationsOf(request).map(({ bytes, spanOffset, spanLength }) =>
    valuesAt(bytes, spanOffset, spanLength),
  );
}

function expectedValues(request: Uint8Array): Values[] {
  return decodeSpans(Buffer.from(request)).filter(isValidSpan).map(decodedValues);
}

test.each(Object.entries(handBuiltRequests))(
  "a span is read as by protobufjs: %s",
  (_, request) => {
    expect(readValues(request)).toEqual(expectedValues(request));
  },
);

// Goal: fields in any order, form and number are read as by any decoder.
test("any span is read as protobufjs reads it", () => {
  const property = fc.property(requestArbitrary, (request) => {
    expect(readValues(request)).toEqual(expectedValues(request));
  });

  fc.assert(property, { numRuns: fuzzRuns(2_000) });
});

const twoBytes = (fieldNumber: number, value: bigint) => [
  ...tag(fieldNumber, 0),
  ...wideVarint(value, 2),
];

test.each<{ name: string; more: number[]; values: Partial<Values> }>([
  {
    name: "the last of two names counts, even if empty",
    more: [...bytesField(5, "a"), ...bytesField(5)],
    values: { name: "" },
  },
  {
    name: "the last of two identifiers counts",
    more: [...bytesField(1, traceId(2)), ...bytesField(2, spanId(3))],
    values: {
      traceId: Uint8Array.from(traceId(2)).toHex(),
      spanId: Uint8Array.from(spanId(3)).toHex(),
    },
  },
  {
    name: "the last of two times counts",
    more: [...fixed64Field(7, 1n), ...fixed64Field(8, 3n), ...fixed64Field(7, 2n)],
    values: { start: 2n, end: 3n },
  },
  { name: "a kind may have two bytes", more: twoBytes(6, 3n), values: { kind: 3 } },
  {
    name: "a status without a code keeps the previous code",
    more: [...bytesField(15, varintField(3, 2)), ...bytesField(15)],
    values: { status: 2 },
  },
  {
    name: "the last code of two statuses counts",
    more: [...bytesField(15, varintField(3, 2)), ...bytesField(15, varintField(3, 1))],
    values: { status: 1 },
  },
  {
    name: "a code may follow a message",
    more: bytesField(15, bytesField(2, "it broke"), varintField(3, 2)),
    values: { status: 2 },
  },
  {
    name: "a status of two bytes need not be a code",
    more: [...bytesField(15, varintField(3, 2)), ...bytesField(15, [0x12, 0])],
    values: { status: 2 },
  },
  {
    name: "a nested field does not change the span",
    more: bytesField(11, bytesField(5, "nested"), varintField(6, 2)),
    values: { name: "span 1", kind: 0 },
  },
])("$name", ({ more, values }) => {
  const body = spanBody(1, more);

  expect(valuesAt(Uint8Array.from(body), 0, body.length)).toMatchObject(values);
});

test("reading a span overwrites all fields of the previous one", () => {
  const full = Uint8Array.from(fullSpanBody);
  const bare = Uint8Array.from([...bytesField(1, traceId(1)), ...bytesField(2, spanId(1))]);
  valuesAt(full, 0, full.length);

  expect(valuesAt(bare, 0, bare.length)).toMatchObject({
    parent: "",
    name: "",
    kind: 0,
    start: 0n,
    end: 0n,
    status: 0,
  });
});
