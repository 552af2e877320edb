import { expect, test } from "bun:test";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { writePlainAttribute } from "../../../../src/adapters/otlp/json/json-plain-attribute.ts";
import {
  createJsonWriter,
  readFrom,
  takeAll,
} from "../../../../src/adapters/otlp/json/json-writer.ts";
import { request } from "../../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  varintField,
  wideBytesField,
} from "../../../support/requests/wire-bytes.ts";

const UNKNOWN_FIELD = varintField(9, 1);

/** Returns what is written of an attribute; undefined if it is not plain. */
function plainText(attribute: number[]): string | undefined {
  const writer = createJsonWriter();
  readFrom(writer, Uint8Array.from(attribute));
  const isWritten = writePlainAttribute(writer, 0, attribute.length);
  const text = Buffer.concat(takeAll(writer)).toString();
  expect(text === "").toBe(!isWritten);
  return isWritten ? text : undefined;
}

/** Returns the attribute as written by the general way, which an unknown field requires. */
function generalText(attribute: number[]): string {
  const span = bytesField(2, bytesField(9, attribute, UNKNOWN_FIELD));
  const text = otlpJson(request(bytesField(1, bytesField(2, span))));
  const begin = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[';
  expect(text).toStartWith(begin);
  return text.slice(begin.length, -"]}]}]}]}".length);
}

const key = bytesField(1, "key");

test.each([
  { name: "a string", value: bytesField(1, 'a "b"') },
  { name: "the empty string", value: bytesField(1) },
  { name: "true", value: varintField(2, 1) },
  { name: "false", value: varintField(2, 0) },
  { name: "zero", value: varintField(3, 0) },
  { name: "a large integer", value: varintField(3, 2n ** 62n) },
  { name: "a negative integer", value: varintField(3, -1) },
  { name: "a double", value: fixed64Field(4, 0x3fb9_9999_9999_999an) },
  { name: "bytes", value: bytesField(7, [1, 2]) },
])("a plain attribute is written as in the general way: $name", ({ value }) => {
  const attribute = [...key, ...bytesField(2, value)];

  expect(plainText(attribute)).toBe(generalText(attribute));
});

test.each<{ name: string; attribute: number[] }>([
  { name: "no key", attribute: bytesField(2, varintField(2, 1)) },
  { name: "an empty key", attribute: [...bytesField(1), ...bytesField(2, varintField(2, 1))] },
  { name: "no value", attribute: key },
  { name: "an empty value", attribute: [...key, ...bytesField(2)] },
  { name: "the value first", attribute: [...bytesField(2, varintField(2, 1)), ...key] },
  { name: "a list", attribute: [...key, ...bytesField(2, bytesField(5, [8, 0, 0, 0]))] },
  { name: "an index", attribute: [...key, ...bytesField(2, varintField(8, 1))] },
  {
    name: "two values",
    attribute: [...key, ...bytesField(2, varintField(2, 1), varintField(3, 7))],
  },
  {
    name: "a value after a string",
    attribute: [...key, ...bytesField(2, bytesField(1, "a"), varintField(3, 7))],
  },
  {
    name: "a value after a double",
    attribute: [...key, ...bytesField(2, fixed64Field(4, 1n), varintField(3, 7))],
  },
  {
    name: "a value in two parts",
    attribute: [...key, ...bytesField(2, varintField(2, 1)), ...bytesField(2, varintField(3, 1))],
  },
  { name: "a long text", attribute: [...key, ...bytesField(2, bytesField(1, "x".repeat(128)))] },
  {
    name: "a length of two bytes",
    attribute: [...key, ...wideBytesField(2, { tag: 1, length: 2 }, varintField(2, 1))],
  },
  {
    name: "a key whose length, read as one byte, ends at the value",
    attribute: [
      ...wideBytesField(1, { tag: 1, length: 2 }, [0x61, 0x61, 0x61, 0x61, 0x61]),
      ...bytesField(9, "x".repeat(125)),
      ...bytesField(2, varintField(2, 1)),
    ],
  },
  { name: "a field after the value", attribute: [...key, ...bytesField(2), ...UNKNOWN_FIELD] },
])("an attribute of another form is not plain: $name", ({ attribute }) => {
  expect(plainText(attribute)).toBeUndefined();
});
