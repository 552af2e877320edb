import { expect, test } from "bun:test";
import { scanFrom } from "../../../src/domain/wire/field-scan.ts";
import { nextSpanAttribute } from "../../../src/domain/wire/span-attributes.ts";
import { attribute } from "../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  varintField,
  wideBytesField,
} from "../../support/requests/wire-bytes.ts";

function attributesIn(...fields: number[][]): string[] {
  const body = fields.flat();
  // Bytes of another field follow, as in a ring.
  const bytes = Uint8Array.from([...body, ...bytesField(9, "behind")]);
  const scan = scanFrom(bytes, 0, body.length);
  const found: string[] = [];
  while (nextSpanAttribute(scan)) found.push(bytes.subarray(scan.valueAt, scan.at).toHex());
  return found;
}

const [ONE, OTHER] = [attribute("k", "a"), attribute("key", "b")];
const HEX = [ONE, OTHER].map((body) => Uint8Array.from(body).toHex());

test.each<{ name: string; fields: number[][]; found: string[] }>([
  { name: "none", fields: [], found: [] },
  {
    name: "none among other fields",
    fields: [bytesField(5, "name"), varintField(6, 1)],
    found: [],
  },
  {
    name: "two with others around them",
    fields: [bytesField(5, "n"), bytesField(9, ONE), fixed64Field(7, 1n), bytesField(9, OTHER)],
    found: HEX,
  },
  {
    name: "one whose head is wider than it need be",
    fields: [wideBytesField(9, { tag: 2, length: 3 }, ONE), bytesField(9, OTHER)],
    found: HEX,
  },
  {
    name: "one behind a field with such a head",
    fields: [wideBytesField(5, { tag: 2, length: 3 }, [1]), bytesField(9, ONE)],
    found: HEX.slice(0, 1),
  },
])("the attributes of a span are found: $name", ({ fields, found }) => {
  expect(attributesIn(...fields)).toEqual(found);
});
