import { expect, test } from "bun:test";
import { quotePeerText } from "../../../src/domain/text/quote-text.ts";

test.each([
  { name: "plain text is left alone", text: "checkout-service/1.2 «é»", quoted: undefined },
  { name: "a line feed cannot start a line", text: 'a\n{"level"', quoted: 'a\\n{"level"' },
  { name: "a terminal sequence is spelt out", text: "\u001b[2J", quoted: "\\x1b[2J" },
  { name: "NUL, DEL and C1 are spelt out", text: "\0\u007f\u009b", quoted: "\\x00\\x7f\\x9b" },
  { name: "a reversal mark is spelt out", text: "a\u202eb", quoted: "a\\u{202e}b" },
  { name: "a line separator is spelt out", text: "\u2028", quoted: "\\u{2028}" },
  { name: "half a surrogate pair is spelt out", text: "\ud83d", quoted: "\\u{d83d}" },
  { name: "a backslash is doubled", text: "\\n", quoted: "\\\\n" },
  { name: "the empty text stays empty", text: "", quoted: "" },
])("$name", ({ text, quoted }) => {
  expect(quotePeerText(text)).toBe(quoted ?? text);
});

test("256 bytes pass whole", () => {
  const text = "é".repeat(128);

  expect(quotePeerText(text)).toBe(text);
});

test.each([
  { name: "one byte more is cut and marked", text: "a".repeat(257) },
  { name: "a character is never cut in two", text: "🦀".repeat(100) },
  { name: "escapes count with the bytes they take", text: "\0".repeat(256) },
  { name: "a megabyte is cut like any other", text: "x".repeat(1 << 20) },
])("$name", ({ text }) => {
  const quoted = quotePeerText(text);

  expect(Buffer.byteLength(quoted)).toBeLessThanOrEqual(256);
  expect(Buffer.byteLength(quoted)).toBeGreaterThan(250);
  expect(quoted.endsWith("…")).toBe(true);
  expect(quoted).not.toContain("\ufffd");
});
