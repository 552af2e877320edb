import { expect, test } from "bun:test";
import {
  choice,
  duration,
  flag,
  TRACE_ID,
  wholeNumber,
} from "../../../src/adapters/read-api/parameter.ts";

test.each([
  { text: "2", number: 2 },
  { text: "9007199254740991", number: Number.MAX_SAFE_INTEGER },
  { text: "1", number: undefined },
  { text: "9007199254740992", number: undefined },
  { text: "02", number: undefined },
  { text: "0x2", number: undefined },
  { text: " 2", number: undefined },
  { text: "", number: undefined },
])("$text is read as $number, from 2 to 2^53 - 1", ({ text, number }) => {
  const most = Number.MAX_SAFE_INTEGER;

  const parameter = wholeNumber({ meaning: "", least: 2, most, unset: undefined });

  expect(parameter.read(text)).toBe(number);
});

test.each([
  { text: "0s", ms: 0 },
  { text: "1ns", ms: 1 },
  { text: "1ms", ms: 1 },
  { text: "1.5s", ms: 1500 },
  { text: "60000ms", ms: 60_000 },
  { text: "60000001us", ms: undefined },
  { text: "1", ms: undefined },
  { text: "-1s", ms: undefined },
])("$text is read as $ms ms, rounded up, up to a minute", ({ text, ms }) => {
  const parameter = duration({ meaning: "", most: "1m", unset: 5 });

  expect(parameter.read(text)).toBe(ms);
});

test("the first word of a choice is its default", () => {
  const parameter = choice("", ["oldest", "newest"]);

  expect(parameter.unset).toBe("oldest");
  expect(["oldest", "newest", "Oldest", ""].map(parameter.read)).toEqual([
    "oldest",
    "newest",
    undefined,
    undefined,
  ]);
});

test("a flag is true or false, and not an inherited property", () => {
  const parameter = flag("");

  expect(["true", "false", "1", "toString"].map(parameter.read)).toEqual([
    true,
    false,
    undefined,
    undefined,
  ]);
});

test("a trace id is read in any case", () => {
  expect(TRACE_ID.read("ABCDEF0123456789abcdef0123456789")).toBe(
    "abcdef0123456789abcdef0123456789",
  );
  expect(TRACE_ID.read("abcdef")).toBeUndefined();
});
