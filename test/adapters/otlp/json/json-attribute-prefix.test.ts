import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  learnPrefix,
  takePrefix,
} from "../../../../src/adapters/otlp/json/json-attribute-prefix.ts";
import { createJsonReader } from "../../../../src/adapters/otlp/json/json-reader.ts";
import { requestFromJson } from "../../../../src/adapters/otlp/json/json-request.ts";
import { bodyOfSpan } from "../../../support/requests/json-span.ts";

const NESTING_DEPTH = 100;
const TAG = 0x4a;

function read(attributes: readonly string[], nestingDepth = NESTING_DEPTH): string {
  const body = bodyOfSpan(`"attributes":[${attributes.join(",")}]`);
  const reading = requestFromJson(body, { nestingDepth });
  return reading.ok ? reading.request.toHex() : reading.message;
}

/** Returns an attribute that means the same, and from which no prefix is learnt. */
function unlearnt(attribute: string): string {
  return attribute.replace("{", '{"unknown":0,');
}

/** Reads this attribute, and learns its prefix. */
function learn(attribute: string): void {
  const body = new TextEncoder().encode(attribute);
  const reader = createJsonReader(body, NESTING_DEPTH);
  reader.at = body.length;
  learnPrefix(reader, 0);
  expect(reader.at).toBe(body.length);
}

/** Returns what follows the prefix of an attribute, if it is known, and the bytes it becomes. */
function taken(attribute: string): { rest: string; wire: string } | undefined {
  const reader = createJsonReader(new TextEncoder().encode(attribute), NESTING_DEPTH);
  if (takePrefix(reader, TAG) === undefined) {
    expect([reader.at, reader.wireEnd]).toEqual([0, 0]);
    return undefined;
  }
  // The lengths are not known yet.
  for (const lengthAt of [1, reader.wireEnd - 1]) reader.wire[lengthAt] = 0;
  return {
    rest: reader.json.toString("utf8", reader.at),
    wire: reader.wire.toString("hex", 0, reader.wireEnd),
  };
}

test("a prefix is taken after it was learnt, and only at the same bytes", () => {
  const attribute = '{"key":"learnt.once","value":{"stringValue":"a"}}';
  expect(taken(attribute)).toBeUndefined();

  learn(attribute);

  const wire = `4a000a0b${Buffer.from("learnt.once").toString("hex")}1200`;
  expect(taken(attribute)).toEqual({ rest: '"a"}}', wire });
  expect(taken(attribute.replace('"a"', "[1"))).toEqual({ rest: "[1}}", wire });
  for (let at = 0; at < attribute.indexOf('"a"'); at += 1) {
    const other = attribute[at] === "x" ? "y" : "x";
    expect(taken(attribute.slice(0, at) + other + attribute.slice(at + 1))).toBeUndefined();
    expect(taken(attribute.slice(0, at))).toBeUndefined();
  }
});

test.each([
  { attribute: '{"key":"","value":{"intValue":1}}', rest: "1}}" },
  { attribute: '{"key":"é","value":{"boolValue":true}}', rest: "true}}" },
  { attribute: '{"key": "spaced", "value": {"intValue": 1}}', rest: " 1}}" },
  { attribute: '{ "key"\n:"lines" ,"value":{\t"arrayValue":{}}}', rest: "{}}}" },
])("a prefix is learnt from any white space and kind of value: $attribute", (attribute) => {
  learn(attribute.attribute);

  expect(taken(attribute.attribute)?.rest).toBe(attribute.rest);
});

test.each([
  '{"key":"escaped\\u0061","value":{"intValue":1}}',
  '{"k\\u0065y":"escaped key","value":{"intValue":1}}',
  '{"value":{"intValue":1},"key":"value first"}',
  '{"key":"twice","key":"twice","value":{"intValue":1}}',
  '{      "key":"indented","value":{"intValue":1}}',
  '{"key":null,"value":{"intValue":1},"more":0}',
  '{"key":"no value"                          }',
  '{"key":"null as the value","value":null    }',
  '{"key":"empty value","value":{}            }',
  '{"key":"unknown kind","value":{"other":1}  }',
  `{"key":"${"long".repeat(30)}","value":{"intValue":1}}`,
  `{"key":"${"long".repeat(60)}","value":{"intValue":1}}`,
])("no prefix is learnt from an attribute without a plain one: %s", (attribute) => {
  learn(attribute);

  expect(taken(attribute)).toBeUndefined();
});

test("a body teaches the prefixes of its first 64 attributes, so that new keys do not cost", () => {
  const attributes = Array.from(
    { length: 65 },
    (_, index) => `{"key":"of.one.body.${index}","value":{"intValue":1}}`,
  );

  read(attributes);

  expect(taken(attributes[0]!)?.rest).toBe("1}}");
  expect(taken(attributes[64]!)).toBeUndefined();
});

test("of many prefixes with equal beginnings, those learnt last are known", () => {
  const attributes = Array.from(
    { length: 9 },
    (_, index) => `{"key":"a.family.of.long.keys.${index}","value":{"intValue":1}}`,
  );

  for (const attribute of attributes) learn(attribute);

  const known = attributes.filter((attribute) => taken(attribute) !== undefined);
  expect(known.length).toBeGreaterThan(1);
  expect(known).toContain(attributes[8]!);
});

test("a key of any characters is copied byte for byte", () => {
  // Excludes what JSON would escape, and half surrogate pairs.
  const key = fc
    .string({ unit: "binary", maxLength: 30 })
    .filter((text) => JSON.stringify(text) === `"${text}"`);
  const property = fc.property(key, (text) => {
    const attribute = `{"key":"${text}","value":{"intValue":1}}`;

    learn(attribute);

    const bytes = Buffer.from(text);
    const length = Uint8Array.of(bytes.length).toHex();
    expect(taken(attribute)?.wire).toBe(`4a000a${length}${bytes.toString("hex")}1200`);
  });

  fc.assert(property, { numRuns: 1_000 });
});

const KEYS = ["k", "", "url.path", "é", "escaped\\n", "x".repeat(64), "x".repeat(130)];
const VALUES = [
  '{"stringValue":"GET"}',
  '{"stringValue":""}',
  `{"stringValue":"${"long".repeat(50)}"}`,
  '{"stringValue":null}',
  '{"stringValue":7}',
  '{"stringValue":"unfinished',
  '{"intValue":"443"}',
  '{"intValue":1,"intValue":2}',
  '{"boolValue":true , "unknown":[]}',
  '{"doubleValue":1.5}',
  '{"arrayValue":{"values":[{"stringValue":"x"},{}]}}',
  '{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}',
  "{}",
  "null",
  "{",
];

const attributeArbitrary = fc
  .record({
    key: fc.constantFrom(...KEYS),
    value: fc.constantFrom(...VALUES),
    colon: fc.constantFrom(":", ": "),
    end: fc.constantFrom("}", " }", ',"key":"b"}', ',"value":{"intValue":3}}', "]"),
  })
  .map(({ key, value, colon, end }) => `{"key"${colon}"${key}","value"${colon}${value}${end}`);

// Goal: a request depends on its body alone, whatever was read before.
test("an attribute means the same when its prefix is known", () => {
  const property = fc.property(
    fc.array(attributeArbitrary, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(5, 6, 7, NESTING_DEPTH),
    (attributes, nestingDepth) => {
      const expected = read(attributes.map(unlearnt), nestingDepth);
      const known = [read(attributes, nestingDepth), read(attributes, nestingDepth)];

      for (const outcome of known) expect(withoutOffset(outcome)).toBe(withoutOffset(expected));
    },
  );

  fc.assert(property, { numRuns: 2_000 });
});

/** Drops the position from a message: the oracle has an additional member. */
function withoutOffset(outcome: string): string {
  return outcome.replace(/^at byte \d+/, "");
}
