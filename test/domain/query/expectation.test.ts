import { describe, expect, test } from "bun:test";
import {
  hasMaximum,
  isAsExpected,
  minCount,
  readExpectation,
} from "../../../src/domain/query/expectation.ts";

const NOW = 1_700_000_000_000_000_000n;

describe("an expectation is read", () => {
  test.each([
    {
      text: "name=GET / & service=shop & count>=2",
      filter: [
        { on: "name", value: "GET /" },
        { on: "service", value: "shop" },
      ],
      lastCondition: "service=shop",
      count: { comparison: ">=", count: 2 },
    },
    {
      text: "service=shop",
      filter: [{ on: "service", value: "shop" }],
      lastCondition: "service=shop",
      count: { comparison: ">=", count: 1 },
    },
    { text: "count=0", filter: [], lastCondition: undefined, count: { comparison: "=", count: 0 } },
    {
      text: "count < 3 & status=error",
      filter: [{ on: "status", value: 2 }],
      lastCondition: "status=error",
      count: { comparison: "<", count: 3 },
    },
    {
      text: "attribute=a=b=c & attribute=d=e & name=x",
      filter: [
        { on: "attribute", key: "a", value: "b=c" },
        { on: "attribute", key: "d", value: "e" },
        { on: "name", value: "x" },
      ],
      lastCondition: "name=x",
      count: { comparison: ">=", count: 1 },
    },
    {
      text: "name=this \\& that & count<=9",
      filter: [{ on: "name", value: "this & that" }],
      lastCondition: "name=this & that",
      count: { comparison: "<=", count: 9 },
    },
    {
      text: "name=\\& \\&",
      filter: [{ on: "name", value: "& &" }],
      lastCondition: "name=& &",
      count: { comparison: ">=", count: 1 },
    },
    {
      text: "name=x\n& service=shop\n& count=1\n",
      filter: [
        { on: "name", value: "x" },
        { on: "service", value: "shop" },
      ],
      lastCondition: "service=shop",
      count: { comparison: "=", count: 1 },
    },
    {
      text: "name=a&b & count>1",
      filter: [{ on: "name", value: "a&b" }],
      lastCondition: "name=a&b",
      count: { comparison: ">", count: 1 },
    },
  ])("$text", ({ text, ...expected }) => {
    expect(readExpectation(text, NOW)).toEqual({ text, ...expected } as never);
  });
});

describe("every mistake in an expectation is reported", () => {
  test.each([
    { text: "nmae=x & kind=round", says: ['unknown condition "nmae"', 'kind is "round"'] },
    { text: "nme=x", says: ["known: service, text, name, "] },
    { text: "nme=x", says: [", count"] },
    { text: " =x", says: ['"=x" must be name=value'] },
    { text: "shop", says: ['"shop" must be name=value'] },
    { text: "", says: ['"" must be name=value'] },
    { text: "name=x & count>=many", says: ['"count>=many" must be count with'] },
    { text: "count>=1 & count<=2", says: ["count is given more than once"] },
    // No span has two names, so that count=0 would always be met.
    { text: "name=x & name=y & count=0", says: ["name is given more than once"] },
    { text: "kind=1 & kind=2 & kind=3", says: ["kind is given more than once"] },
    { text: "name=x & ", says: ['"" must be name=value'] },
    { text: "name=x &", says: ['"" must be name=value'] },
    { text: "& name=x", says: ['"" must be name=value'] },
    { text: "name=x & & kind=1", says: ['"" must be name=value'] },
    { text: "name=x & count<0", says: ['"count<0" can never be met'] },
    { text: "name=x & count>=0", says: ['"count>=0" is always met'] },
  ])("$text", ({ text, says }) => {
    const read = readExpectation(text, NOW) as { mistakes: string[] };

    expect(read.mistakes).toHaveLength(says.length);
    for (const [index, part] of says.entries()) expect(read.mistakes[index]).toContain(part);
  });
});

test.each([
  { comparison: ">=", met: [false, true, true], minimum: 2 },
  { comparison: "<=", met: [true, true, false], minimum: 0 },
  { comparison: "=", met: [false, true, false], minimum: 2 },
  { comparison: ">", met: [false, false, true], minimum: 3 },
  { comparison: "<", met: [true, false, false], minimum: 0 },
] as const)("count $comparison 2 is met by 1, 2, 3: $met", ({ comparison, met, minimum }) => {
  const condition = { comparison, count: 2 };

  expect([1, 2, 3].map((found) => isAsExpected(condition, found))).toEqual([...met]);
  expect(minCount(condition)).toBe(minimum);
});

test.each([
  { comparison: "=", expected: true },
  { comparison: "<=", expected: true },
  { comparison: "<", expected: true },
  { comparison: ">=", expected: false },
  { comparison: ">", expected: false },
] as const)("count$comparison can have too many: $expected", ({ comparison, expected }) => {
  expect(hasMaximum({ comparison, count: 1 })).toBe(expected);
});
