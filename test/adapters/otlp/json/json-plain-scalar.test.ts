import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { takePlainScalar } from "../../../../src/adapters/otlp/json/json-plain-scalar.ts";
import {
  createJsonReader,
  type JsonReader,
} from "../../../../src/adapters/otlp/json/json-reader.ts";
import { SCALAR_READERS } from "../../../../src/adapters/otlp/json/json-scalar-reader.ts";
import {
  type Field,
  type ScalarKind,
  type Shape,
  SHAPES,
} from "../../../../src/adapters/otlp/json/json-shape.ts";

const { Span, AnyValue } = SHAPES;
const TEXT = fieldOf(Span, "name");
const ID = fieldOf(Span, "traceId");
const TIME = fieldOf(Span, "startTimeUnixNano");
const WHOLE = [
  fieldOf(Span, "kind"),
  fieldOf(Span, "droppedLinksCount"),
  fieldOf(Span, "flags"),
  fieldOf(AnyValue, "intValue"),
];

function fieldOf({ fields }: Shape, wanted: string): Field {
  return fields.find(({ name }) => name === wanted)!;
}

/** What may follow a value: the plain readers look at bytes in advance. */
const AFTER = `,"attributes":[],"links":[],"events":[]`;

interface Outcome {
  readonly isTaken: boolean;
  readonly rest: string;
  readonly wire: string;
}

function outcome(text: string, read: (reader: JsonReader) => boolean): Outcome {
  const bytes = new TextEncoder().encode(text);
  const reader = createJsonReader(bytes, 1);
  const isTaken = read(reader);
  const rest = new TextDecoder().decode(bytes.subarray(reader.at));
  return { isTaken, rest, wire: reader.wire.toString("hex", 0, reader.wireEnd) };
}

function plain(field: Field, text: string): Outcome {
  return outcome(text, (reader) => takePlainScalar(reader, field));
}

/** Reads the value with the reader of all forms. */
function general(field: Field, text: string): Outcome {
  return outcome(text, (reader) => SCALAR_READERS[field.value as ScalarKind](reader, field));
}

const wholeTexts = WHOLE.flatMap((field) =>
  ["0", "7", "42", "999999999", '"0"', '"443"', '"999999999"'].flatMap((value) =>
    [",", "}", "]", " ", "\n"].map((end) => ({
      field,
      name: field.name,
      value,
      text: value + end + AFTER,
    })),
  ),
);
const times = ['"1700000000000000001"', '"1000000000000000000"', '"9999999999999999999"'];
const texts = ["", "GET /orders", "é€😀", "\u007f", "x".repeat(127)];
const ids = ["", "ab", "cd01020300000001", "AB070707070707070707070700000fFf"];

test.each([
  ...wholeTexts,
  ...times.map((value) => ({ field: TIME, name: TIME.name, value, text: value + AFTER })),
  ...texts.map((text) => ({
    field: TEXT,
    name: TEXT.name,
    value: `"${text}"`,
    text: `"${text}"${AFTER}`,
  })),
  ...ids.map((id) => ({ field: ID, name: ID.name, value: `"${id}"`, text: `"${id}"${AFTER}` })),
])("$name is taken from $text as the general reader takes it", ({ field, value, text }) => {
  const made = plain(field, text);

  expect(made).toEqual(general(field, text));
  expect(made).toMatchObject({ isTaken: true, rest: text.slice(value.length) });
});

const otherNumbers = [
  "1x",
  "-1",
  "1.0",
  "1e3",
  "01",
  '"01"',
  '"1 "',
  '"1',
  '""',
  "",
  "null",
  "1234567890",
];
const otherTimes = [
  "1700000000000000001",
  '"170000000000000000"',
  '"17000000000000000011"',
  '"0700000000000000001"',
];
const otherTexts = [
  '"a\\n"',
  '"\\""',
  '"tab\t"',
  '"\u0000"',
  `"${"x".repeat(128)}"`,
  `"${"é".repeat(64)}"`,
  "text",
  "null",
  "7",
];
const otherIds = [
  '"a"',
  '"abc"',
  '"0g"',
  '"g0"',
  `"${"ab".repeat(17)}"`,
  '"\\u0061b"',
  "ab",
  '"ab',
];

test.each([
  ...WHOLE.flatMap((field) => otherNumbers.map((value) => ({ field, name: field.name, value }))),
  ...otherTimes.map((value) => ({ field: TIME, name: TIME.name, value })),
  ...otherTexts.map((value) => ({ field: TEXT, name: TEXT.name, value })),
  ...otherIds.map((value) => ({ field: ID, name: ID.name, value })),
])("$name is left where it is in any other form: $value", ({ field, value }) => {
  for (const text of [value, value + AFTER]) {
    expect(plain(field, text)).toEqual({ isTaken: false, rest: text, wire: "" });
  }
});

test("a time is left where it is if any byte of it is not a digit", () => {
  for (let at = 1; at <= 19; at += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      const isDigit = byte >= 0x30 && byte <= 0x39;
      const bytes = new TextEncoder().encode(`"1700000000000000001"${AFTER}`);
      bytes[at] = byte;
      const reader = createJsonReader(bytes, 1);

      const isTaken = takePlainScalar(reader, TIME);

      expect({ at, byte, isTaken }).toEqual({
        at,
        byte,
        isTaken: isDigit && (at > 1 || byte > 0x30),
      });
    }
  }
});

// Goal: no number loses a digit. Method: random ones, with the general reader as the oracle.
test("any number that is taken has the value that the general reader finds", () => {
  const digits = fc.oneof(
    fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }).map(String),
    fc.bigInt({ min: 10n ** 18n, max: 10n ** 19n - 1n }).map(String),
    fc.nat({ max: 999_999_999 }).map(String),
  );
  const property = fc.property(
    fc.constantFrom(TIME, ...WHOLE),
    digits,
    fc.boolean(),
    (field, number, isQuoted) => {
      const text = (isQuoted ? `"${number}"` : number) + AFTER;
      const made = plain(field, text);

      expect(made.isTaken ? made : general(field, text)).toEqual(general(field, text));
    },
  );

  fc.assert(property, { numRuns: 5_000 });
});

test("no other kind of field has a plain form that is taken", () => {
  for (const { fields } of Object.values(SHAPES)) {
    for (const field of fields.filter(({ plain: form }) => form === "none")) {
      for (const text of ["1", '"ab"', times[0]!]) {
        expect(plain(field, text + AFTER)).toEqual({
          isTaken: false,
          rest: text + AFTER,
          wire: "",
        });
      }
    }
  }
});
