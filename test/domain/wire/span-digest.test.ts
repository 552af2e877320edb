import { expect, test } from "bun:test";
import {
  digestSpan,
  createSpanFields,
  readSpanFields,
} from "../../../src/domain/wire/span-fields.ts";
import { spanBody, spanId, traceId } from "../../support/requests/request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "../../support/requests/wire-bytes.ts";

const fields = createSpanFields();

function digestOf(body: number[]) {
  const shared = new Uint8Array(new SharedArrayBuffer(body.length + 5));
  shared.set(body, 5);
  readSpanFields(fields, shared, 5, body.length);
  return digestSpan(fields);
}

const traceIdHex = Uint8Array.from(traceId(7)).toHex();

test("a digest contains the fields that summaries of traces need", () => {
  const digest = digestOf([
    ...bytesField(1, traceId(7)),
    ...bytesField(2, spanId(7)),
    ...bytesField(4, spanId(6)),
    ...bytesField(5, "GET /péché"),
    ...fixed64Field(7, 1_700_000_000_000_000_001n),
    ...fixed64Field(8, 2n ** 64n - 1n),
    ...bytesField(15, varintField(3, 2)),
  ]);

  expect(digest).toEqual({
    traceId: traceIdHex,
    hasParent: true,
    name: "GET /péché",
    startTimeUnixNano: 1_700_000_000_000_000_001n,
    endTimeUnixNano: 2n ** 64n - 1n,
    statusCode: 2,
  });
});

test("absent fields are empty, zero or unset", () => {
  const digest = digestOf([...bytesField(1, traceId(7)), ...bytesField(2, spanId(7))]);

  expect(digest).toEqual({
    traceId: traceIdHex,
    hasParent: false,
    name: "",
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    statusCode: 0,
  });
});

test.each<{ name: string; parent: number[]; hasParent: boolean }>([
  { name: "an identifier of eight bytes is a parent", parent: spanId(1), hasParent: true },
  {
    name: "an identifier with a single bit is a parent",
    parent: [0, 0, 0, 0, 0, 0, 0, 1],
    hasParent: true,
  },
  { name: "zeros are not a parent", parent: [0, 0, 0, 0, 0, 0, 0, 0], hasParent: false },
  { name: "an empty identifier is not a parent", parent: [], hasParent: false },
])("$name", ({ parent, hasParent }) => {
  expect(digestOf(spanBody(1, bytesField(4, parent))).hasParent).toBe(hasParent);
});
