import { expect, test } from "bun:test";
import { quotePeerText, SecretText } from "../../../src/domain/text/quote-text.ts";
import { inspect } from "node:util";

test.each([
  { name: "plain text is unchanged", text: "checkout-service/1.2 «é»", quoted: undefined },
  { name: "a line feed cannot start a line", text: 'a\n{"level"', quoted: 'a\\n{"level"' },
  { name: "a terminal sequence is escaped", text: "\u001b[2J", quoted: "\\x1b[2J" },
  { name: "NUL, DEL and C1 are escaped", text: "\0\u007f\u009b", quoted: "\\x00\\x7f\\x9b" },
  { name: "a reversal mark is escaped", text: "a\u202eb", quoted: "a\\u{202e}b" },
  { name: "a line separator is escaped", text: "\u2028", quoted: "\\u{2028}" },
  { name: "half a surrogate pair is escaped", text: "\ud83d", quoted: "\\u{d83d}" },
  { name: "a backslash is doubled", text: "\\n", quoted: "\\\\n" },
  { name: "the empty text stays empty", text: "", quoted: "" },
])("$name", ({ text, quoted }) => {
  expect(quotePeerText(text)).toBe(quoted ?? text);
});

test("256 bytes are not truncated", () => {
  const text = "é".repeat(128);

  expect(quotePeerText(text)).toBe(text);
});

test.each([
  { name: "a longer text is truncated and marked", text: "a".repeat(257) },
  { name: "a character is not divided", text: "🦀".repeat(100) },
  { name: "escapes count with their bytes", text: "\0".repeat(256) },
  { name: "a megabyte is truncated", text: "x".repeat(1 << 20) },
])("$name", ({ text }) => {
  const quoted = quotePeerText(text);

  expect(Buffer.byteLength(quoted)).toBeLessThanOrEqual(256);
  expect(Buffer.byteLength(quoted)).toBeGreaterThan(250);
  expect(quoted.endsWith("…")).toBe(true);
  expect(quoted).not.toContain("\ufffd");
});

const secret = new SecretText("hunter2");

test.each([
  { name: "a template", shown: `${secret}` },
  { name: "JSON", shown: JSON.stringify({ secret }) },
  { name: "JSON of a list", shown: JSON.stringify([[secret]]) },
  { name: "inspection", shown: inspect({ secret }, { depth: 9, showHidden: true }) },
  { name: "Bun's inspection", shown: Bun.inspect({ secret }) },
  { name: "the list of its properties", shown: JSON.stringify(Object.entries(secret)) },
  { name: "a spread", shown: JSON.stringify({ ...secret }) },
])("$name does not reveal the text", ({ shown }) => {
  expect(shown).not.toContain("hunter2");
});

test("only an explicit request returns the text", () => {
  expect(secret.reveal()).toBe("hunter2");
});

test("the replacement text can be chosen, and an empty text is shown as empty", () => {
  expect(String(new SecretText("a=b", "a=***"))).toBe("a=***");
  expect(String(new SecretText(""))).toBe("");
});
