import { expect, test } from "bun:test";
import { mistakeTexts } from "../../../../src/adapters/cli/run/mistake-texts.ts";

test("a mistake is shown with the text, and a pointer below its column", () => {
  const texts = mistakeTexts("kind=1 & nmae=x", [{ column: 10, mistake: "no" }], "--expect");

  expect(texts).toEqual(["--expect, column 10: no\n    kind=1 & nmae=x\n             ^"]);
});

test("the pointer stays below its character after breaks, escapes and wide letters", () => {
  const [text] = mistakeTexts("a\nb\u001b字x", [{ column: 6, mistake: "no" }], "f");
  const [, shown, pointer] = text!.split("\n");

  expect(shown).toBe("    a b\\x1b字x");
  expect(pointer).toBe(`    ${" ".repeat("a b\\x1b".length + 2)}^`);
});

test("of a long text, only what surrounds the mistake is shown", () => {
  const [text] = mistakeTexts("x".repeat(4_000), [{ column: 2_000, mistake: "no" }], "f");
  const [, shown, pointer] = text!.split("\n");

  expect(shown).toBe(`    …${"x".repeat(80)}`);
  expect(pointer).toBe(`    ${" ".repeat(61)}^`);
});

test("a mistake at the end of a text points behind its last character", () => {
  const [text] = mistakeTexts("all kind=1", [{ column: 11, mistake: "no" }], "f");

  expect(text).toEndWith("\n    all kind=1\n              ^");
});
