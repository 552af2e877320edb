import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { expectationSections } from "../../../../src/adapters/cli/usage/expectations-help.ts";
import { readExpectation } from "../../../../src/domain/expectation/read-expectation.ts";

const [forms = "", conditions = "", , examples = ""] = expectationSections(PLAIN);

/** Returns the forms of a section, without their meanings. */
function formsIn(section: string): string[] {
  const [, ...lines] = section.split("\n");
  return lines.map((line) => line.trim().split(/ {2,}/)[0]!);
}

test.each([
  ...formsIn(forms).map((form) => form.replaceAll("CONDITIONS", "name=x")),
  ...formsIn(conditions),
  ...formsIn(examples),
])("the help describes an expectation that can be read: %s", (text) => {
  expect(readExpectation(text, 0n)).toHaveProperty("text", text);
});

test("the help has a form for each joint, and several examples", () => {
  expect(formsIn(forms)).toHaveLength(8);
  expect(formsIn(conditions)).toHaveLength(7);
  expect(formsIn(examples)).toHaveLength(4);
});
