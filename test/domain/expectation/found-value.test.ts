import { expect, test } from "bun:test";
import type { Expectation } from "../../../src/domain/expectation/expectation.ts";
import { durationText, foundValue } from "../../../src/domain/expectation/found-value.ts";
import { readExpectation } from "../../../src/domain/expectation/read-expectation.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";
import {
  attribute,
  request,
  resourceSpans,
  span,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "../../support/requests/wire-bytes.ts";

function found(condition: string, ...fields: number[][]): string {
  const [location] = locationsOf(request(resourceSpans("shop", span(1, ...fields))));
  const { subject } = readExpectation(condition, 0n) as Expectation;
  return foundValue(subject.selector.conditions[0]!, location!);
}

function valued(value: number[]): number[] {
  return bytesField(9, bytesField(1, "a.b"), bytesField(2, value));
}

const LONG = "x".repeat(200);
const CUT = `${"x".repeat(120)}…`;

test.each([
  { name: "a text", value: bytesField(1, "x"), shown: "x" },
  { name: "a long text", value: bytesField(1, LONG), shown: CUT },
  { name: "an integer", value: varintField(3, 7), shown: "7" },
  { name: "a boolean", value: varintField(2, 1), shown: "true" },
  { name: "a double", value: fixed64Field(4, 0x3fe0000000000000n), shown: "0.5" },
  { name: "a list", value: bytesField(5, []), shown: "neither a text nor a number" },
])("$name is shown as $shown", ({ value, shown }) => {
  expect(found("a.b=y", valued(value))).toBe(shown);
});

test.each([
  { condition: "service.name=till", shown: "shop" },
  { condition: "service=till", shown: "shop" },
  { condition: "kind=server", shown: "9", fields: [varintField(6, 9)] },
  { condition: "status=ok", shown: "9", fields: [bytesField(15, varintField(3, 9))] },
  { condition: "name_contains=y", shown: CUT, fields: [bytesField(5, LONG)] },
  { condition: "since=1s", shown: "unknown" },
  {
    condition: "until=0",
    shown: "2554-07-21T23:34:33.709Z",
    fields: [fixed64Field(7, 2n ** 64n - 1n)],
  },
])("instead of $condition, a span has $shown", ({ condition, shown, fields = [] }) => {
  expect(found(condition, ...fields)).toBe(shown);
});

test("of many events, the first three are shown", () => {
  const events = ["a", "b", "c", "d"].map((name) => bytesField(11, bytesField(2, name)));

  expect(found("event=x", ...events)).toBe("a, b, c, ...");
});

test("instead of a link to one span, the links of a span are shown", () => {
  const link = bytesField(13, bytesField(1, traceId(1)), bytesField(2, spanId(7)));

  expect(found("links_to=0000000000000009", link)).toContain("cd");
});

test("attributes that are required of a link are shown with it", () => {
  const link = bytesField(
    13,
    bytesField(4, attribute("a.b", "1")),
    bytesField(4, attribute("c", "2")),
  );

  expect(found("link=* & a.b=2", link)).toBe("a.b=1");
});

test.each([
  { nano: undefined, shown: "unknown" },
  { nano: 999, shown: "999ns" },
  { nano: 1_500, shown: "1.5us" },
  { nano: 12_345_678, shown: "12.3457ms" },
  { nano: 61e9, shown: "61s" },
  { nano: -2e6, shown: "-2ms" },
])("a duration of $nano ns is written as a condition: $shown", ({ nano, shown }) => {
  expect(durationText(nano)).toBe(shown);
});
