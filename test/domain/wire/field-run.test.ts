import { expect, test } from "bun:test";
import { fieldRuns } from "../../../src/domain/wire/field-run.ts";
import { unknownFields } from "../../support/requests/hand-built-requests.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
  wideBytesField,
} from "../../support/requests/wire-bytes.ts";

const WANTED = 2;
const wanted = bytesField(WANTED, "wanted");
const wide = wideBytesField(WANTED, { tag: 3, length: 4 }, [1, 2, 3]);
const others = unknownFields.flat();

/** The runs as texts of their bytes, in a message that lies within other bytes. */
function runsOf(...fields: number[][]): string[] {
  const body = fields.flat();
  const bytes = Uint8Array.from([...wanted, ...body, ...wanted]);
  const message = { bytes, offset: wanted.length, length: body.length };
  return fieldRuns(message, WANTED).map(({ start, end }) => bytes.subarray(start, end).toHex());
}

const hex = (...fields: number[][]) => Uint8Array.from(fields.flat()).toHex();

test.each<{ name: string; fields: number[][]; runs: string[] }>([
  { name: "an empty message has none", fields: [], runs: [] },
  { name: "a message of other fields has none", fields: [others], runs: [] },
  {
    name: "a message of wanted fields is one",
    fields: [wanted, wanted],
    runs: [hex(wanted, wanted)],
  },
  { name: "fields before are left out", fields: [others, wanted], runs: [hex(wanted)] },
  { name: "fields behind are left out", fields: [wanted, others], runs: [hex(wanted)] },
  {
    name: "a field between makes two",
    fields: [wanted, wide, varintField(3, 300), wide],
    runs: [hex(wanted, wide), hex(wide)],
  },
  {
    name: "heads wider than they need be belong to it",
    fields: [others, wide, others],
    runs: [hex(wide)],
  },
  {
    name: "the number decides, whatever the wire type",
    fields: [varintField(1, 2), fixed64Field(2, 7n), fixed32Field(2, 7), varintField(2, 1), others],
    runs: [hex(fixed64Field(2, 7n), fixed32Field(2, 7), varintField(2, 1))],
  },
  {
    name: "bytes that look like it, within another, do not count",
    fields: [bytesField(1, wanted)],
    runs: [],
  },
])("$name", ({ fields, runs }) => {
  expect(runsOf(...fields)).toEqual(runs);
});
