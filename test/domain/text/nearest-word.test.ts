import { expect, test } from "bun:test";
import { nearestWord, suggestion } from "../../../src/domain/text/nearest-word.ts";

const WORDS = ["tail", "get", "traces", "wait", "completions"];

test.each([
  { written: "tial", nearest: "tail", why: "two letters swapped" },
  { written: "trace", nearest: "traces", why: "a letter missing" },
  { written: "waits", nearest: "wait", why: "a letter too many" },
  { written: "gat", nearest: "get", why: "a letter changed" },
  { written: "comp", nearest: "completions", why: "a prefix" },
  { written: "xyzzyqq", nearest: undefined, why: "no similar word" },
  { written: "", nearest: undefined, why: "an empty text" },
  { written: "q".repeat(10_000), nearest: undefined, why: "longer than any word" },
])("the nearest word to $written is $nearest: $why", ({ written, nearest }) => {
  expect(nearestWord(written, WORDS)).toBe(nearest as string);
});

test("a suggestion ends a sentence, or is empty", () => {
  expect(suggestion("tial", WORDS)).toBe("; did you mean tail?");
  expect(suggestion("xyzzyqq", WORDS)).toBe("");
});
