import { expect, test } from "bun:test";
import type { SpanCondition, SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { compileFilter, type SpanLocation } from "../../../src/domain/query/span-matcher.ts";
import { matchedRows, locationsOf } from "../../support/requests/matched-spans.ts";
import {
  attribute,
  request,
  resourceSpans,
  serverRequest,
  span,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed64Field,
  tag,
  varintField,
  wideVarint,
} from "../../support/requests/wire-bytes.ts";

function isMatched(bytes: Uint8Array, ...filter: SpanFilter): boolean {
  return matchedRows(bytes, filter).length === 1;
}

/** Returns a request of one span with these fields, in a resource with these attributes. */
function spanIn(resource: number[][], ...fields: number[][]): Uint8Array {
  const attributes = resource.map((body) => bytesField(1, body));
  return request(bytesField(1, bytesField(1, ...attributes), bytesField(2, span(1, ...fields))));
}

const valueOf = (text: string) => bytesField(2, bytesField(1, text));
const intOf = (key: string, value: bigint) => [
  ...bytesField(1, key),
  ...bytesField(2, varintField(3, value)),
];
const doubleOf = (key: string, value: number) => {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  return [...bytesField(1, key), ...bytesField(2, fixed64Field(4, bits))];
};
const boolOf = (key: string, value: number) => [
  ...bytesField(1, key),
  ...bytesField(2, varintField(2, value)),
];
const wants = (key: string, value: string): SpanCondition => ({ on: "attribute", key, value });

test("only a filter with a text counts the bytes that it searches", () => {
  const spans = locationsOf(serverRequest(2));
  const searching = compileFilter([{ on: "text", value: "no such text" }]);
  const other = compileFilter([{ on: "name", value: "no such name" }]);

  spans.forEach((each) => searching.matches(each));
  const searchedBytes = searching.searchedBytes?.();
  searching.reset();

  expect(searchedBytes).toBe(spans[0]!.spanLength + spans[1]!.spanLength);
  expect(searching.searchedBytes?.()).toBe(0);
  expect(other.searchedBytes).toBeUndefined();
});

test("a filter without conditions matches every span", () => {
  expect(matchedRows(serverRequest(3), [])).toEqual([0, 1, 2]);
});

test.each<{ name: string; filter: SpanFilter; rows: number[] }>([
  { name: "service", filter: [{ on: "service", value: "bank" }], rows: [2, 3] },
  { name: "name", filter: [{ on: "name", value: "span 2" }], rows: [1] },
  {
    name: "trace id",
    filter: [{ on: "trace_id", value: Uint8Array.from(traceId(3)).toHex() }],
    rows: [2],
  },
  {
    name: "span id",
    filter: [{ on: "span_id", value: Uint8Array.from(spanId(4)).toHex() }],
    rows: [3],
  },
  { name: "kind", filter: [{ on: "kind", value: 2 }], rows: [0, 3] },
  { name: "status", filter: [{ on: "status", value: 2 }], rows: [1] },
  { name: "attribute", filter: [wants("http.route", "/")], rows: [2] },
  { name: "duration", filter: [{ on: "min_duration", durationNano: 50n }], rows: [0] },
  { name: "since", filter: [{ on: "since", unixNano: 100n }], rows: [0, 1] },
  { name: "until", filter: [{ on: "until", unixNano: 100n }], rows: [3] },
  {
    name: "several conditions at once",
    filter: [
      { on: "kind", value: 2 },
      { on: "service", value: "bank" },
    ],
    rows: [3],
  },
  {
    name: "two conditions that exclude each other",
    filter: [
      { on: "service", value: "shop" },
      { on: "service", value: "bank" },
    ],
    rows: [],
  },
])("spans are matched by $name", ({ filter, rows }) => {
  const bytes = request(
    resourceSpans(
      "shop",
      span(1, varintField(6, 2), fixed64Field(7, 100n), fixed64Field(8, 150n)),
      span(2, bytesField(15, varintField(3, 2)), fixed64Field(7, 101n), fixed64Field(8, 150n)),
    ),
    resourceSpans(
      "bank",
      span(3, bytesField(9, attribute("http.route", "/"))),
      span(4, varintField(6, 2), fixed64Field(7, 99n), fixed64Field(8, 10n)),
    ),
  );

  expect(matchedRows(bytes, filter)).toEqual(rows);
});

test.each<{ name: string; body: number[]; yes: string[]; no: string[] }>([
  { name: "a text", body: attribute("k", "200"), yes: ["200"], no: ["", "20", "2000", "200 "] },
  { name: "an empty text", body: attribute("k", ""), yes: [""], no: ["0", "false"] },
  {
    name: "an integer",
    body: intOf("k", 200n),
    yes: ["200", "0200"],
    no: ["200.0", "2e2", "", "x"],
  },
  {
    name: "an integer below zero",
    body: intOf("k", -200n),
    yes: ["-200"],
    no: ["200", "18446744073709551416"],
  },
  {
    name: "the largest integer",
    body: intOf("k", 2n ** 63n - 1n),
    yes: ["9223372036854775807"],
    no: ["9223372036854775806", "9223372036854775808", "-1"],
  },
  {
    name: "a negative integer that would be positive without its sign bit",
    body: intOf("k", -8446744073709551617n),
    yes: ["-8446744073709551617"],
    no: ["9999999999999999999"],
  },
  { name: "zero", body: intOf("k", 0n), yes: ["0", "-0"], no: ["", "18446744073709551616"] },
  {
    name: "a double",
    body: doubleOf("k", 0.5),
    yes: ["0.5", ".5", "5e-1", "0.50"],
    no: ["0,5", ""],
  },
  { name: "a whole double", body: doubleOf("k", 200), yes: ["200", "200.0", "2e2"], no: ["0xc8"] },
  { name: "a double of zero", body: doubleOf("k", -0), yes: ["0", "-0", "0.0"], no: ["", " "] },
  { name: "NaN", body: doubleOf("k", Number.NaN), yes: ["NaN"], no: ["nan", "0", "x"] },
  {
    name: "an infinite double",
    body: doubleOf("k", Number.NEGATIVE_INFINITY),
    yes: ["-Infinity", "-1e999"],
    no: ["Infinity", "-inf"],
  },
  { name: "true", body: boolOf("k", 1), yes: ["true"], no: ["TRUE", "1", "false", ""] },
  { name: "false", body: boolOf("k", 0), yes: ["false"], no: ["0", "true", ""] },
  {
    name: "bytes",
    body: [...bytesField(1, "k"), ...bytesField(2, bytesField(7, "a"))],
    yes: [],
    no: ["a", "YQ=="],
  },
  { name: "no value", body: bytesField(1, "k"), yes: [], no: ["", "null"] },
])("an attribute of $name equals the texts that represent it", ({ body, yes, no }) => {
  const bytes = spanIn([], bytesField(9, body));

  const equal = [...yes, ...no].filter((text) => isMatched(bytes, wants("k", text)));

  expect(equal).toEqual(yes);
});

test.each<{ name: string; bytes: Uint8Array; values: string[] }>([
  {
    name: "the resource's counts if the span has none",
    bytes: spanIn([attribute("k", "r")], bytesField(9, attribute("kk", "s"))),
    values: ["r"],
  },
  {
    name: "the span's hides the resource's",
    bytes: spanIn([attribute("k", "r")], bytesField(9, attribute("k", "s"))),
    values: ["s"],
  },
  {
    name: "the span's hides the resource's even without a value",
    bytes: spanIn([attribute("k", "r")], bytesField(9, bytesField(1, "k"))),
    values: [],
  },
  {
    name: "each of several on a span counts",
    bytes: spanIn([], bytesField(9, attribute("k", "s")), bytesField(9, attribute("k", "t"))),
    values: ["s", "t"],
  },
  {
    name: "each of several on a resource counts",
    bytes: spanIn([attribute("k", "r"), attribute("k", "t")]),
    values: ["r", "t"],
  },
  {
    name: "those of events do not count",
    bytes: spanIn([], bytesField(11, bytesField(3, attribute("k", "s")))),
    values: [],
  },
])("among attributes with the same key, $name", ({ bytes, values }) => {
  expect(["r", "s", "t", ""].filter((value) => isMatched(bytes, wants("k", value)))).toEqual(
    values,
  );
});

// An attribute of a key and then a value, with lengths of one byte, is skipped after a few of its
// bytes if the key differs. Each of these attributes begins like that, but has another form.
test.each<{ name: string; body: number[] }>([
  {
    // [0a 82 00]: read as a one-byte length, a key of 130 bytes, and a value that ends the text.
    name: "a key with an overlong length",
    body: [0x0a, 0x82, 0x00, 0x6b, 0x6b, ...valueOf(`${"-".repeat(123)}\u0012\u0000`)],
  },
  {
    // [12 85 00]: read as a one-byte length, a value up to the end instead of five bytes.
    name: "a value with an overlong length, and then the key",
    body: [
      ...bytesField(1, "x"),
      ...tag(2, 2),
      ...wideVarint(5, 2),
      ...bytesField(1, "end"),
      ...bytesField(1, "kk"),
      ...bytesField(6, "-".repeat(121)),
    ],
  },
  {
    name: "another key, a value and then the key",
    body: [...bytesField(1, "x"), ...valueOf("end"), ...bytesField(1, "kk")],
  },
  { name: "another key, and then the key", body: [...bytesField(1, "x"), ...bytesField(1, "kk")] },
  {
    // [18 08]: read as a length, a key up to the text, which contains something like a value.
    name: "a number, and then a key and a value",
    body: [...varintField(3, 8), ...bytesField(1, "kk"), ...valueOf("\u0012\u0003end")],
  },
])("an attribute in another form is not missed: $name", ({ body }) => {
  const bytes = spanIn([attribute("kk", "of the resource")], bytesField(9, body));

  // The span's attribute hides that of the resource, whatever its value is.
  expect(isMatched(bytes, wants("kk", "of the resource"))).toBe(false);
});

// Text that is not UTF-8 reads as U+FFFD. A span's name is compared as bytes, which then differ
// from those of U+FFFD; a service is compared as decoded, so that every listed name can be queried.
test("a name that is not UTF-8 equals no text, and a service equals its decoded text", () => {
  const broken = [0x61, 0xff];
  const service = [...bytesField(1, "service.name"), ...bytesField(2, bytesField(1, broken))];
  const bytes = spanIn([service], bytesField(5, broken));

  expect(isMatched(bytes, { on: "name", value: "a\ufffd" })).toBe(false);
  expect(isMatched(bytes, { on: "service", value: "a\ufffd" })).toBe(true);
});

test.each<{ name: string; condition: SpanCondition }>([
  { name: "a service", condition: { on: "service", value: "bank" } },
  { name: "an attribute of the resource", condition: wants("service.name", "bank") },
])("$name is read again after a reset", ({ condition }) => {
  const matcher = compileFilter([condition]);
  const isAnyMatched = (places: SpanLocation[]) => places.some((place) => matcher.matches(place));
  const shop = isAnyMatched(locationsOf(request(resourceSpans("shop", span(1)))));
  const bank = locationsOf(request(resourceSpans("bank", span(1))));

  matcher.reset();

  expect([shop, isAnyMatched(bank)]).toEqual([false, true]);
});

test("the matcher has the tail of the trace id that it requires", () => {
  const id = Uint8Array.from(traceId(0x0102_0304)).toHex();

  expect(compileFilter([{ on: "trace_id", value: id }]).traceTail).toBe(0x0403_0201);
  expect(compileFilter([{ on: "kind", value: 1 }]).traceTail).toBeUndefined();
});
