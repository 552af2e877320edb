import { expect, test } from "bun:test";
import {
  createEncodedAttribute,
  NO_VALUE,
  readAttribute,
  nextSpanAttribute,
} from "../../../src/domain/wire/attribute.ts";
import {
  BOOL_VALUE,
  DOUBLE_VALUE,
  INT_VALUE,
  STRING_VALUE,
} from "../../../src/domain/wire/otlp-tags.ts";
import { attribute } from "../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  varintField,
  wideBytesField,
} from "../../support/requests/wire-bytes.ts";
import { scanFrom } from "../../../src/domain/wire/field-scan.ts";

// All cases share one object, so that remains of one attribute would show in the next.
const found = createEncodedAttribute();

function read(...fields: number[][]): { key: string; member: number; value: string } {
  const body = fields.flat();
  const bytes = Uint8Array.from([0x0a, ...body, 0x0a]);
  readAttribute(found, bytes, 1, 1 + body.length);
  const key = new TextDecoder().decode(bytes.subarray(found.keyStart, found.keyEnd));
  const isSet = found.member !== NO_VALUE;
  const value = isSet ? bytes.subarray(found.valueStart, found.valueEnd).toHex() : "";
  return { key, member: found.member, value };
}

const key = bytesField(1, "k");
const text = bytesField(1, "a");
const int = varintField(3, 7);
const value = (...members: number[][]) => bytesField(2, ...members);

test.each([
  { name: "a text", fields: [attribute("k", "a")], member: STRING_VALUE, bytes: "61" },
  { name: "an empty text", fields: [attribute("k", "")], member: STRING_VALUE, bytes: "" },
  { name: "a bool", fields: [key, value(varintField(2, 1))], member: BOOL_VALUE, bytes: "01" },
  { name: "an integer", fields: [key, value(int)], member: INT_VALUE, bytes: "07" },
  {
    name: "a double",
    fields: [key, value(fixed64Field(4, 1n))],
    member: DOUBLE_VALUE,
    bytes: "0100000000000000",
  },
  { name: "a value before its key", fields: [value(int), key], member: INT_VALUE, bytes: "07" },
  { name: "no value", fields: [key], member: NO_VALUE, bytes: "" },
  { name: "a value without a member", fields: [key, value()], member: NO_VALUE, bytes: "" },
  { name: "the last of two members", fields: [key, value(int, text)], member: 1, bytes: "61" },
  {
    name: "the last of two values",
    fields: [key, value(text), value(int)],
    member: 3,
    bytes: "07",
  },
  {
    name: "two values, the second of which is empty",
    fields: [key, value(text), value()],
    member: STRING_VALUE,
    bytes: "61",
  },
  {
    name: "a member of profiles, which unsets the text before it",
    fields: [key, value(text, varintField(8, 1))],
    member: 8,
    bytes: "01",
  },
  {
    name: "a text before an unknown field",
    fields: [key, value(text, varintField(9, 1)), varintField(4, 1)],
    member: STRING_VALUE,
    bytes: "61",
  },
  {
    name: "the last of two keys",
    fields: [bytesField(1, "other"), value(int), key],
    member: INT_VALUE,
    bytes: "07",
  },
])("an attribute is read: $name", ({ fields, member, bytes }) => {
  expect(read(...fields)).toEqual({ key: "k", member, value: bytes });
});

test("an attribute without a key has an empty one", () => {
  expect(read(value(text))).toEqual({ key: "", member: STRING_VALUE, value: "61" });
});

function attributesIn(...fields: number[][]): string[] {
  const body = fields.flat();
  // Bytes of another field follow, as in the ring.
  const bytes = Uint8Array.from([...body, ...bytesField(9, "behind")]);
  const scan = scanFrom(bytes, 0, body.length);
  const bodies: string[] = [];
  while (nextSpanAttribute(scan)) bodies.push(bytes.subarray(scan.valueAt, scan.at).toHex());
  return bodies;
}

const [ONE, OTHER] = [attribute("k", "a"), attribute("key", "b")];
const HEX = [ONE, OTHER].map((body) => Uint8Array.from(body).toHex());

test.each<{ name: string; fields: number[][]; expected: string[] }>([
  { name: "none", fields: [], expected: [] },
  {
    name: "none among other fields",
    fields: [bytesField(5, "name"), varintField(6, 1)],
    expected: [],
  },
  {
    name: "two among other fields",
    fields: [bytesField(5, "n"), bytesField(9, ONE), fixed64Field(7, 1n), bytesField(9, OTHER)],
    expected: HEX,
  },
  {
    name: "one with an overlong tag and length",
    fields: [wideBytesField(9, { tag: 2, length: 3 }, ONE), bytesField(9, OTHER)],
    expected: HEX,
  },
  {
    name: "one after a field with an overlong tag",
    fields: [wideBytesField(5, { tag: 2, length: 3 }, [1]), bytesField(9, ONE)],
    expected: HEX.slice(0, 1),
  },
])("the attributes of a span are found: $name", ({ fields, expected }) => {
  expect(attributesIn(...fields)).toEqual(expected);
});
