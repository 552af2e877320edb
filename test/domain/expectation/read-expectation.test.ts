import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type {
  Expectation,
  ExpectationMistake,
  SpanPath,
} from "../../../src/domain/expectation/expectation.ts";
import {
  MAX_EXPECTATION_LENGTH,
  readExpectation,
} from "../../../src/domain/expectation/read-expectation.ts";

const NOW = 1_700_000_000_000_000_000n;

function read(text: string): Expectation {
  return readExpectation(text, NOW) as Expectation;
}

function mistakesIn(text: string): readonly ExpectationMistake[] {
  return (readExpectation(text, NOW) as { mistakes: ExpectationMistake[] }).mistakes;
}

/** Returns the tests of a path, and the relations between them. */
function testsOf({ selector, relation }: SpanPath): unknown[] {
  const tests = selector.conditions.map(({ test: each }) => each);
  return relation === undefined ? [tests] : [tests, relation.kind, ...testsOf(relation.to)];
}

const SELECT = { on: "name_matches", value: "SELECT*" };
const named = (value: string) => ({ on: "name", value });

test.each([
  {
    text: "name=SELECT* under name='GET /orders' & count=2",
    path: [[SELECT], "under", [named("GET /orders")]],
  },
  { text: "name=a  directly  under  name=b", path: [[named("a")], "directly under", [named("b")]] },
  {
    text: "name=a under name=b & service=s linked to kind=1",
    path: [
      [named("a")],
      "under",
      [named("b"), { on: "service", value: "s" }],
      "linked to",
      [{ on: "kind", value: 1 }],
    ],
  },
])("relations are read: $text", ({ text, path }) => {
  expect(testsOf(read(text).subject)).toEqual(path as never);
});

test("a requirement, an order, and the absence of errors are read", () => {
  const all = read("all kind=server under name=x have http.route & duration<1s & count=3");
  const order = read("name=a before name=b under name=c");
  const calm = read(" no error  anywhere ");

  expect(testsOf(all.subject)).toEqual([[{ on: "kind", value: 2 }], "under", [named("x")]]);
  expect(all.requirement?.conditions.map(({ text }) => text)).toEqual([
    "http.route",
    "duration<1s",
  ]);
  expect(all.count).toEqual({ min: 3, max: 3 });
  expect(testsOf(order.subject)).toEqual([[named("a")]]);
  expect(testsOf(order.later!)).toEqual([[named("b")], "under", [named("c")]]);
  expect(testsOf(calm.subject)).toEqual([[{ on: "status", value: 2 }]]);
  expect(calm.count).toEqual({ min: 0, max: 0 });
});

describe("every mistake is reported with its column", () => {
  test.each([
    {
      text: "nmae=x & kind=round",
      says: [
        [1, 'condition "nmae"'],
        [10, 'kind is "round"'],
      ],
    },
    { text: "nme=x", says: [[1, "known: service, text, name, "]] },
    { text: "nme=x", says: [[1, ", duration, event, link, count"]] },
    { text: " =x", says: [[2, '"=x" must be name=value']] },
    { text: "shop", says: [[1, '"shop" must be name=value']] },
    { text: "", says: [[1, '"" must be name=value']] },
    { text: "name=x & count>=many", says: [[10, '"count>=many" must be count with']] },
    { text: "count>=1 & count<=2", says: [[12, "count is given more than once; write a range"]] },
    // No span has two names, so that count=0 would always be met.
    { text: "name=x & name=y & count=0", says: [[10, "name is given more than once"]] },
    {
      text: "kind=1 & kind=2 & kind=3",
      says: [
        [10, "kind is given more than once"],
        [19, "kind is given more than once"],
      ],
    },
    { text: "name=x & ", says: [[10, '"" must be name=value']] },
    { text: "name=x &", says: [[9, '"" must be name=value']] },
    { text: "& name=x", says: [[1, '"" must be name=value']] },
    { text: "name=x & & kind=1", says: [[10, '"" must be name=value']] },
    { text: "name=x & count<0", says: [[10, '"count<0" can never be met']] },
    { text: "name=x & count>=0", says: [[10, '"count>=0" is always met']] },
    { text: "count=5..2", says: [[1, '"count=5..2" can never be met']] },
    { text: "count>2..3", says: [[1, "or a range, such as count=2..5"]] },
    { text: "kind>1", says: [[1, '"kind>1" must be name=value']] },
    { text: "duration=1s", says: [[1, "duration must have <, <=, > or >="]] },
    { text: "duration", says: [[1, "duration must have <, <=, > or >="]] },
    { text: "duration<fast", says: [[1, '"duration<fast": duration must']] },
    { text: "duration<0s", says: [[1, '"duration<0s" can never be met']] },
    { text: "duration<1s & duration<2s", says: [[15, "max_duration is given more than once"]] },
    { text: "http.route>x", says: [[1, 'attribute_number is "http.route>x"']] },
    { text: "event=", says: [[1, "event must have a name"]] },
    { text: "event>x", says: [[1, '"event>x" must be name=value']] },
    { text: "link=12", says: [[1, "it must be *, the 32 hex digits of a trace id"]] },
    { text: "link<12", says: [[1, '"link<12" must be name=value']] },
    { text: "name='x", says: [[6, "this quote is not closed"]] },
    { text: "name='x'y", says: [[9, "a quoted value ends before this"]] },
    { text: "name='x'  y & kind=1", says: [[11, "a quoted value ends before this"]] },
    { text: "name=sit under tree", says: [[16, 'if "under" belongs to the value before it']] },
    { text: "name=x under ", says: [[14, '"" must be name=value']] },
    { text: "name=x under count=2", says: [[14, "a condition must stand here"]] },
    { text: "count=2 under name=x", says: [[1, "a condition must stand here"]] },
    { text: "all have http.route", says: [[5, '"" must be name=value']] },
    { text: "all count=2 have http.route", says: [[1, "a condition must stand here"]] },
    { text: "all kind=server", says: [[16, '"have" and other conditions must follow']] },
    { text: "all kind=1 have a.b have c.d", says: [[26, "have is given twice"]] },
    { text: "all kind=1 have a.b under c.d", says: [[27, '"under" must stand before "have"']] },
    {
      text: "all kind=1 before kind=2 have a.b",
      says: [[19, "before cannot follow all; write two expectations"]],
    },
    { text: "name=a before name=b before name=c", says: [[29, "before is given twice"]] },
    { text: "name=a before name=b & count=2", says: [[15, "count has no meaning with before"]] },
    { text: "no errors", says: [[1, 'only "no error anywhere" begins with no']] },
    { text: "  no name=x", says: [[3, "add count=0"]] },
  ] as { text: string; says: [number, string][] }[])("$text", ({ text, says }) => {
    const mistakes = mistakesIn(text);

    expect(mistakes.map(({ column }) => column)).toEqual(says.map(([column]) => column));
    for (const [index, [, part]] of says.entries()) {
      expect(mistakes[index]?.mistake).toContain(part);
    }
  });
});

test.each([
  { text: "x".repeat(MAX_EXPECTATION_LENGTH + 1), says: "at most 4096 characters" },
  {
    text: Array.from({ length: 33 }, () => "a.b").join(" & "),
    says: "at most 32 conditions",
  },
  {
    text: Array.from({ length: 9 }, () => "name=x").join(" under "),
    says: "at most 8 selections",
  },
] as { text: string; says: string }[])("an expectation has limits: $says", ({ text, says }) => {
  expect(mistakesIn(text)).toEqual([{ column: 1, mistake: expect.stringContaining(says) }]);
});

// Goal: the parser neither throws nor hangs, and a mistake points into the text.
// Method: random texts of the words of the language, which are often nearly right.
const word = fc.constantFrom(
  ..."name=x|kind=server|http.route|a.b>=5|duration<1s|event=e|link=*|count=2..5|count=0".split(
    "|",
  ),
  ..."&|under|directly|linked|to|before|all|have|no|error|anywhere|name='a b'|'|\"|\\|\\&|=".split(
    "|",
  ),
);
const wordy = fc.array(word, { maxLength: 12 }).map((words) => words.join(" "));

test("any text is read, or its mistakes point at a column of it", () => {
  fc.assert(
    fc.property(fc.oneof(wordy, fc.string({ unit: "binary", maxLength: 60 })), (text) => {
      const reading = readExpectation(text, NOW);
      const mistakes = "mistakes" in reading ? reading.mistakes : [];
      const columns = mistakes.map(({ column }) => column);

      expect("mistakes" in reading).toBe(mistakes.length > 0);
      expect(columns.filter((column) => column < 1 || column > text.length + 1)).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
});

// Goal: every value can be written, whatever characters it has.
test("a quoted value is read as it was, whatever it contains", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.boolean(), (value, isDouble) => {
      const quote = isDouble ? '"' : "'";
      const quoted = value.replaceAll(/['"\\]/g, (each) =>
        each === "\\" || each === quote ? `\\${each}` : each,
      );
      const { subject } = read(`name=${quote}${quoted}${quote} & service=s under kind=1`);

      expect(testsOf(subject)[0]).toEqual([named(value), { on: "service", value: "s" }]);
    }),
    { numRuns: 1_000 },
  );
});
