import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { readExpectationFile } from "../../../../src/adapters/cli/run/expectation-file.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

function fileOf(content: string): string {
  const path = join(temporaryFolder(), "spans.yaml");
  writeFileSync(path, content);
  return path;
}

const TEXTS = ["name=SELECT* under name='GET /orders' & count=1..5", "no error anywhere"];

test.each([
  { name: "a YAML list", content: `# checks\n- ${TEXTS[0]}\n- ${TEXTS[1]} # calm\n` },
  { name: "a YAML object", content: `expectations:\n  - "${TEXTS[0]}"\n  - ${TEXTS[1]}\n` },
  { name: "a JSON list", content: JSON.stringify(TEXTS) },
  { name: "JSON with tabs", content: JSON.stringify({ expectations: TEXTS }, undefined, "\t") },
])("$name is read", ({ content }) => {
  expect(readExpectationFile(fileOf(content))).toEqual({ texts: TEXTS });
});

test.each([
  { content: "", says: "must be a list of expectations" },
  { content: "name=x", says: "must be a list of expectations" },
  { content: "[]", says: "has no expectation; it must be a list" },
  { content: "expectations:\n", says: "must be a list of expectations" },
  { content: "expect:\n  - a=b\n", says: 'unknown key "expect"; known: expectations' },
  { content: "- name=x\n- name=a: b\n", says: "expectation 2 is not a text; if it contains" },
  { content: "- 5\n", says: "expectation 1 is not a text" },
  { content: "[", says: "JSON" },
  { content: "- a: b: c\n  - x\n", says: "YAML" },
  { content: "- a\n".repeat(1_001), says: "has more than 1000 expectations" },
])("a file with $content is rejected: $says", ({ content, says }) => {
  const path = fileOf(content);

  const { mistake } = readExpectationFile(path) as { mistake: string };

  expect(mistake).toStartWith(`${path}: `);
  expect(mistake).toContain(says);
});

test("a file that is missing or too large is rejected", () => {
  const large = fileOf("");
  truncateSync(large, 1024 * 1024 + 1);

  expect(readExpectationFile(`${large}x`)).toEqual({
    mistake: `${large}x: no such file or folder`,
  });
  expect(readExpectationFile(large)).toEqual({
    mistake: `${large}: larger than 1048576 bytes; split it`,
  });
});
