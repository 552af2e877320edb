import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isUtf8 } from "node:buffer";
import { spansWithInvalidText } from "../../../src/domain/wire/invalid-text.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { attribute, request, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

/** Latin-1 for "café": its last byte begins a UTF-8 character that is incomplete. */
const LATIN_1 = [0x63, 0x61, 0x66, 0xe9];

const scope = (...spans: number[][]) => bytesField(2, ...spans);
const resource = (...scopes: number[][]) => bytesField(1, ...scopes);
const found = (...parts: number[][]): number[] => [...spansWithInvalidText(request(...parts))];
const key = bytesField(1, "key");

describe("text that is not UTF-8 is found in a span's", () => {
  test.each([
    { name: "name", field: bytesField(5, LATIN_1) },
    { name: "trace state", field: bytesField(3, LATIN_1) },
    { name: "attribute", field: bytesField(9, key, bytesField(2, bytesField(1, LATIN_1))) },
    { name: "attribute's key", field: bytesField(9, bytesField(1, LATIN_1)) },
    {
      name: "array",
      field: bytesField(
        9,
        key,
        bytesField(2, bytesField(5, bytesField(1, bytesField(1, LATIN_1)))),
      ),
    },
    {
      name: "map",
      field: bytesField(
        9,
        key,
        bytesField(2, bytesField(6, bytesField(1, bytesField(1, LATIN_1)))),
      ),
    },
    { name: "event", field: bytesField(11, bytesField(2, LATIN_1)) },
    { name: "link", field: bytesField(13, bytesField(3, LATIN_1)) },
    { name: "status", field: bytesField(15, bytesField(2, LATIN_1)) },
  ])("$name", ({ field }) => {
    expect(found(resource(scope(span(1), span(2, field), span(3))))).toEqual([0, 1, 0]);
  });
});

describe("invalid text around spans affects all spans in it: a", () => {
  const bad = bytesField(1, LATIN_1);

  test.each([
    {
      name: "resource",
      around: (...spans: number[][]) => [bytesField(1, bytesField(1, bad)), scope(...spans)],
    },
    {
      name: "resource's schema",
      around: (...spans: number[][]) => [scope(...spans), bytesField(3, LATIN_1)],
    },
    { name: "scope", around: (...spans: number[][]) => [scope(bytesField(1, bad), ...spans)] },
    {
      name: "scope's schema",
      around: (...spans: number[][]) => [scope(...spans, bytesField(3, LATIN_1))],
    },
  ])("$name", ({ around }) => {
    const parts = [
      resource(scope(span(1))),
      resource(...around(span(2), span(3))),
      resource(scope(span(4))),
    ];

    expect(found(...parts)).toEqual([0, 1, 1, 0]);
  });

  test("scope of the same resource is not affected", () => {
    const parts = [resource(scope(span(1)), scope(bytesField(1, bad), span(2)))];

    expect(found(...parts)).toEqual([0, 1]);
  });
});

test.each([
  {
    name: "bytes, which are not text",
    field: bytesField(9, key, bytesField(2, bytesField(7, LATIN_1))),
  },
  { name: "an unknown field", field: bytesField(30, LATIN_1) },
  { name: "identifiers", field: bytesField(4, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) },
  { name: "text in any script", field: bytesField(9, attribute("ключ", "価値 🎈")) },
  { name: "numbers", field: varintField(6, 300) },
])("no invalid text is found in $name", ({ field }) => {
  expect(found(resource(scope(span(1, field))))).toEqual([0]);
});

test("a request without spans has no span with invalid text", () => {
  expect(found()).toEqual([]);
});

// Goal: the search for invalid text agrees with the runtime's check of UTF-8.
// Method: random bytes, mostly near the borders between forms of characters, as the name of a span.
test("the search accepts the same text as the runtime", () => {
  const byte = fc.constantFrom(0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xef, 0xf0, 0xf4);
  let invalidCount = 0;
  const property = fc.property(fc.array(byte, { maxLength: 6 }), (name) => {
    const isInvalid = !isUtf8(Uint8Array.from(name));

    expect(found(resource(scope(span(1, bytesField(5, name)))))).toEqual([isInvalid ? 1 : 0]);
    invalidCount += isInvalid ? 1 : 0;
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
  expect(invalidCount).toBeGreaterThan(100);
});
