import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { writeString } from "../../../../src/adapters/otlp/json/json-string-writer.ts";
import {
  createJsonWriter,
  readFrom,
  takeAll,
} from "../../../../src/adapters/otlp/json/json-writer.ts";

// Goal: any bytes become the JSON that the decoder and the encoder of the runtime make of them.
// Method: both are applied to valid text, to broken text, and to lengths around each boundary.

const encoder = new TextEncoder();

function written(bytes: Uint8Array): string {
  const writer = createJsonWriter();
  // An offset at which no word is aligned, between bytes that do not belong to the text.
  const wire = Uint8Array.from([0x22, ...bytes, 0xbf, 0x80, 0x22]);
  readFrom(writer, wire);
  writeString(writer, 1, 1 + bytes.length);
  return Buffer.concat(takeAll(writer)).toString();
}

function expected(bytes: Uint8Array): string {
  return JSON.stringify(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
}

test("any text is written as by JSON.stringify", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(written(encoder.encode(text))).toBe(JSON.stringify(text));
    }),
  );
});

/** Bytes that begin, continue and break characters, and those that are escaped. */
const EDGES = [
  0x00, 0x08, 0x0a, 0x0b, 0x1f, 0x20, 0x22, 0x5c, 0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
  0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

test("any bytes are written as the runtime decodes them", () => {
  const bytes = fc.array(fc.constantFrom(...EDGES), { maxLength: 100 });

  fc.assert(
    fc.property(bytes, (values) => {
      const text = Uint8Array.from(values);
      expect(written(text)).toBe(expected(text));
    }),
    { numRuns: 2_000 },
  );
});

test("every byte is written correctly at every position among plain ones", () => {
  const texts = Array.from({ length: 256 }, (_, byte) =>
    Array.from({ length: 18 }, (_each, at) => new Uint8Array(18).fill(0x61).with(at, byte)),
  ).flat();

  expect(texts.filter((text) => written(text) !== expected(text))).toEqual([]);
});

test.each(["\u00e9", "\u20ac", "\u{1f600}", "\n", '"', "\u0001"])(
  "%j is whole wherever it lies in a long text",
  (character) => {
    for (let before = 1015; before < 1030; before += 1) {
      const text = `${"a".repeat(before)}${character.repeat(40)}${"b".repeat(1100)}`;
      expect(written(encoder.encode(text))).toBe(JSON.stringify(text));
    }
  },
);

test.each([
  { name: "broken bytes", bytes: [0x61, 0xff, 0xf0, 0x9f, 0x98] },
  { name: "nothing but continuations", bytes: [0x80, 0x80, 0xbf] },
])("a long text of $name is written as the runtime decodes it", ({ bytes }) => {
  const text = Uint8Array.from(Array.from({ length: 1_000 }, () => bytes).flat());

  expect(written(text)).toBe(expected(text));
});
