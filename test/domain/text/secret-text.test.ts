import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { SecretText } from "../../../src/domain/text/secret-text.ts";

const secret = new SecretText("hunter2");

test.each([
  { name: "a template", shown: `${secret}` },
  { name: "JSON", shown: JSON.stringify({ secret }) },
  { name: "JSON of a list", shown: JSON.stringify([[secret]]) },
  { name: "inspection", shown: inspect({ secret }, { depth: 9, showHidden: true }) },
  { name: "Bun's inspection", shown: Bun.inspect({ secret }) },
  { name: "its own properties", shown: JSON.stringify(Object.entries(secret)) },
  { name: "a spread", shown: JSON.stringify({ ...secret }) },
])("$name does not give the text away", ({ shown }) => {
  expect(shown).not.toContain("hunter2");
});

test("only who asks for the text gets it", () => {
  expect(secret.reveal()).toBe("hunter2");
});

test("the replacement text can be chosen, and an empty text is shown as empty", () => {
  expect(String(new SecretText("a=b", "a=***"))).toBe("a=***");
  expect(String(new SecretText(""))).toBe("");
});
