import { expect, test } from "bun:test";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { matchedRows } from "../../support/requests/matched-spans.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { fixed64Field } from "../../support/requests/wire-bytes.ts";

function isMatched(bytes: Uint8Array, ...filter: SpanFilter): boolean {
  return matchedRows(bytes, filter).length === 1;
}

function spanWith(...fields: number[][]): Uint8Array {
  return request(resourceSpans("shop", span(1, ...fields)));
}

// A time of 0 means "not set" in proto3; an unknown time is neither early nor late.
test.each<{ name: string; fields: number[][] }>([
  { name: "no start", fields: [fixed64Field(8, 2n ** 60n)] },
  { name: "a start of 0", fields: [fixed64Field(7, 0n), fixed64Field(8, 2n ** 60n)] },
  { name: "no end", fields: [fixed64Field(7, 5n)] },
  { name: "an end of 0", fields: [fixed64Field(7, 5n), fixed64Field(8, 0n)] },
  { name: "no times", fields: [] },
])("a span with $name matches no duration", ({ fields }) => {
  const bytes = spanWith(...fields);

  expect(isMatched(bytes, { on: "min_duration", durationNano: 0n })).toBe(false);
  expect(isMatched(bytes, { on: "min_duration", durationNano: 1n })).toBe(false);
  expect(isMatched(bytes, { on: "max_duration", durationNano: 2n ** 64n })).toBe(false);
});

test.each<{ name: string; fields: number[][] }>([
  { name: "no start", fields: [] },
  { name: "a start of 0", fields: [fixed64Field(7, 0n)] },
])("a span with $name matches no start time", ({ fields }) => {
  const bytes = spanWith(...fields);

  expect(isMatched(bytes, { on: "since", unixNano: 0n })).toBe(false);
  expect(isMatched(bytes, { on: "since", unixNano: -1n })).toBe(false);
  expect(isMatched(bytes, { on: "until", unixNano: 2n ** 64n })).toBe(false);
});

test.each([1n, 2n ** 32n, 2n ** 64n - 1n])("the time %d of a span is matched", (time) => {
  const bytes = spanWith(fixed64Field(7, time), fixed64Field(8, time));

  expect(isMatched(bytes, { on: "min_duration", durationNano: 0n })).toBe(true);
  expect(isMatched(bytes, { on: "since", unixNano: time })).toBe(true);
  expect(isMatched(bytes, { on: "until", unixNano: time + 1n })).toBe(true);
});

test("a span that ends before it starts matches no duration", () => {
  const bytes = spanWith(fixed64Field(7, 2n ** 32n), fixed64Field(8, 2n ** 32n - 1n));

  expect(isMatched(bytes, { on: "min_duration", durationNano: 0n })).toBe(false);
});

test.each([
  { least: 5n, most: 5n, isMatch: true },
  { least: 6n, most: 9n, isMatch: false },
  { least: 0n, most: 4n, isMatch: false },
])("a duration of 5 ns between $least and $most: $isMatch", ({ least, most, isMatch }) => {
  const bytes = spanWith(fixed64Field(7, 2n ** 32n - 2n), fixed64Field(8, 2n ** 32n + 3n));

  const conditions: SpanFilter = [
    { on: "min_duration", durationNano: least },
    { on: "max_duration", durationNano: most },
  ];
  expect(isMatched(bytes, ...conditions)).toBe(isMatch);
});

test("a span that ends before it starts is shorter than any maximum", () => {
  const bytes = spanWith(fixed64Field(7, 2n ** 32n), fixed64Field(8, 2n ** 32n - 1n));

  expect(isMatched(bytes, { on: "max_duration", durationNano: 0n })).toBe(true);
});
