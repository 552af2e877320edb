import { expect, test } from "bun:test";
import { AssertionError } from "../../../src/domain/assert.ts";
import {
  nextField,
  NOT_PLAIN,
  plainFieldEnd,
  point,
  scanFrom,
  fieldRuns,
} from "../../../src/domain/wire/field-scan.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  tag,
  varintField,
  wideBytesField,
  wideVarint,
} from "../../support/requests/wire-bytes.ts";
import { unknownFields } from "../../support/requests/hand-built-requests.ts";

/** Returns number and value of each field of a message within other bytes. */
function fieldsOf(...fields: number[][]): { number: number; value: string }[] {
  const body = fields.flat();
  const bytes = Uint8Array.from([0xff, ...body, 0xff]);
  const scan = scanFrom(bytes, 1, 1 + body.length);
  const found: { number: number; value: string }[] = [];
  while (nextField(scan)) {
    const value = bytes.subarray(scan.valueAt, scan.at).toHex();
    found.push({ number: scan.fieldNumber, value });
  }
  return found;
}

const allHigh = 0xffff_ffff_ffff_ffffn;

test.each<{ name: string; field: number[]; number: number; value: string }>([
  { name: "a number of one byte", field: varintField(6, 2), number: 6, value: "02" },
  { name: "a number of two bytes", field: varintField(6, 300), number: 6, value: "ac02" },
  { name: "a length of one byte", field: bytesField(5, "ab"), number: 5, value: "6162" },
  { name: "a length of zero", field: bytesField(5), number: 5, value: "" },
  {
    name: "a length of two bytes",
    field: bytesField(5, "a".repeat(200)),
    number: 5,
    value: "61".repeat(200),
  },
  { name: "eight bytes", field: fixed64Field(7, 1n), number: 7, value: "0100000000000000" },
  {
    name: "eight bytes that look like other fields",
    field: fixed64Field(7, allHigh),
    number: 7,
    value: "ffffffffffffffff",
  },
  { name: "four bytes", field: fixed32Field(6, 1), number: 6, value: "01000000" },
  { name: "a tag of two bytes", field: fixed32Field(16, 1), number: 16, value: "01000000" },
  {
    name: "a tag of five bytes",
    field: [...tag(2 ** 29 - 1, 0), 1],
    number: 2 ** 29 - 1,
    value: "01",
  },
  {
    name: "an overlong tag and length",
    field: wideBytesField(5, { tag: 3, length: 5 }, [0x61]),
    number: 5,
    value: "61",
  },
  {
    name: "an overlong number",
    field: [...tag(6, 0), ...wideVarint(1, 10)],
    number: 6,
    value: "81808080808080808000",
  },
])("$name between two others is skipped completely", ({ field, number, value }) => {
  const first = varintField(1, 1);

  expect(fieldsOf(first, field, first)).toEqual([
    { number: 1, value: "01" },
    { number, value },
    { number: 1, value: "01" },
  ]);
});

test("a message without fields is at its end", () => {
  expect(fieldsOf()).toEqual([]);
});

test("a scan can be reused for another message", () => {
  const bytes = Uint8Array.from(bytesField(1, varintField(2, 3)));
  const scan = scanFrom(bytes, 0, bytes.length);
  nextField(scan);

  point(scan, bytes, scan.valueAt, scan.at);

  expect([nextField(scan), scan.fieldNumber, nextField(scan)]).toEqual([true, 2, false]);
});

// The walk accepts no such message, so that a scan that meets one is a bug.
test.each([
  { name: "that ends after its message", bytes: [0x2a, 3, 0x61], length: 3 },
  { name: "whose number does not end", bytes: [0x30, 0x80, 0x80], length: 3 },
  { name: "that is a group", bytes: [0x0b, 0x0c], length: 2 },
  { name: "whose number is after the message", bytes: [0x30, 1], length: 1 },
])("a field $name fails an assertion", ({ bytes, length }) => {
  const scan = scanFrom(Uint8Array.from(bytes), 0, length);

  expect(() => nextField(scan)).toThrow(AssertionError);
});

test.each([
  { name: "a tag of two bytes", field: fixed32Field(16, 1) },
  { name: "a length of two bytes", field: bytesField(5, "a".repeat(200)) },
  { name: "a number of two bytes", field: varintField(6, 300) },
  { name: "four bytes", field: fixed32Field(6, 1) },
])("a field with $name is not plain", ({ field }) => {
  expect(plainFieldEnd(Uint8Array.from(field), 0)).toBe(NOT_PLAIN);
});

const WANTED = 2;
const wanted = bytesField(WANTED, "wanted");
const wide = wideBytesField(WANTED, { tag: 3, length: 4 }, [1, 2, 3]);
const others = unknownFields.flat();

/** Returns the runs in hexadecimal, of a message within other bytes. */
function runsOf(...fields: number[][]): string[] {
  const body = fields.flat();
  const bytes = Uint8Array.from([...wanted, ...body, ...wanted]);
  const message = { bytes, offset: wanted.length, length: body.length };
  return fieldRuns(message, WANTED).map(({ start, end }) => bytes.subarray(start, end).toHex());
}

const hex = (...fields: number[][]) => Uint8Array.from(fields.flat()).toHex();

test.each<{ name: string; fields: number[][]; runs: string[] }>([
  { name: "an empty message has no runs", fields: [], runs: [] },
  { name: "a message of other fields has no runs", fields: [others], runs: [] },
  {
    name: "a message of matching fields is one run",
    fields: [wanted, wanted],
    runs: [hex(wanted, wanted)],
  },
  { name: "fields before a run are excluded", fields: [others, wanted], runs: [hex(wanted)] },
  { name: "fields after a run are excluded", fields: [wanted, others], runs: [hex(wanted)] },
  {
    name: "a field in between separates two runs",
    fields: [wanted, wide, varintField(3, 300), wide],
    runs: [hex(wanted, wide), hex(wide)],
  },
  {
    name: "overlong tags belong to a run",
    fields: [others, wide, others],
    runs: [hex(wide)],
  },
  {
    name: "the field number decides, whatever the wire type",
    fields: [varintField(1, 2), fixed64Field(2, 7n), fixed32Field(2, 7), varintField(2, 1), others],
    runs: [hex(fixed64Field(2, 7n), fixed32Field(2, 7), varintField(2, 1))],
  },
  {
    name: "similar bytes within another field are excluded",
    fields: [bytesField(1, wanted)],
    runs: [],
  },
])("$name", ({ fields, runs }) => {
  expect(runsOf(...fields)).toEqual(runs);
});
