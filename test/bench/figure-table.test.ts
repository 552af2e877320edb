import { expect, test } from "bun:test";
import type { CaseResult } from "./case-result.ts";
import { summarise } from "./figure.ts";
import { numberText, tableText } from "./figure-table.ts";

test.each([
  { value: 0, text: "0" },
  { value: 7, text: "7" },
  { value: 0.125, text: "0.13" },
  { value: 12.34, text: "12.3" },
  { value: 123.4, text: "123" },
  { value: 1234.5, text: "1,235" },
  { value: 1_000_000, text: "1,000,000" },
])("the value $value is displayed as $text", ({ value, text }) => {
  expect(numberText(value)).toBe(text);
});

const RAN: CaseResult = {
  name: "walk",
  shows: "something",
  failure: null,
  figures: [
    summarise({
      name: "512 spans",
      unit: "ns/span",
      better: "lower",
      samples: [100, 200, 300],
      reference: { name: "decode", samples: [4000] },
      goal: { of: "ratio", is: ">=", bound: 18 },
    }),
    summarise({ name: "one", unit: "ms", better: "lower", samples: [0.5] }),
  ],
};
const FAILED: CaseResult = {
  name: "ingest",
  shows: "something",
  failure: "h2load is missing",
  figures: [],
};

test("names are aligned left and numbers right", () => {
  expect(tableText([RAN]).split("\n")).toEqual([
    "case  figure     unit     median   min   max    ratio  reference      goal         verdict",
    "walk  512 spans  ns/span     200   100   300  20.00 x  decode, 4,000  ratio >= 18  met",
    "walk  one        ms         0.50  0.50  0.50",
    "",
  ]);
});

test("the reason why a case could not run follows the figures", () => {
  const lines = tableText([FAILED, RAN]).trimEnd().split("\n");

  expect(lines).toHaveLength(4);
  expect(lines.at(-1)).toBe("ingest could not run: h2load is missing");
});

test("a table without figures has a header", () => {
  expect(tableText([FAILED])).toStartWith("case  figure  unit");
});
