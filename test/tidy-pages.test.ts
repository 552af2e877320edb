import { expect, test } from "bun:test";
import { deadNames, deadTitles, treeFaults } from "./support/tidy/page-names.ts";
import type { RepositoryFile } from "./support/tidy/repository-files.ts";

// Goal: the rules for pages find names of things that do not exist. Method: each rule is applied to
// a violation and to something similar that is allowed.

function file(path: string, text: string): RepositoryFile {
  return { path, text };
}

const NAMED = [
  file("src/ring/append.ts", "export function append(): void {}\nconst grow = () => {};"),
  file(
    "src/ring/buffer.ts",
    "export class Buffer {\n  take() {\n    return drop();\n  }\n}\nexport const MAX_SPANS = 1;",
  ),
  file("test/golden/one.bin", ""),
];

test.each([
  ["`ring/drop.ts`", "ring/drop.ts is not there"],
  ["`ring/inner/`", "ring/inner/ is not there"],
  ["`ring/append.ts` `drop()`", "drop() is not declared in ring/append.ts"],
  ["`ring/buffer.ts` calls `drop()`", "drop() is not declared in ring/buffer.ts"],
  ["`ring/buffer.ts` `Ring.take()`", "Ring.take() is not declared in ring/buffer.ts"],
  ["`ring/append.ts`\n\nThen `append()`.", "append() stands behind no file"],
  ["| `ring/append.ts` |\n| `append()` |", "append() stands behind no file"],
  ["`ObservabilityBuffer`", "ObservabilityBuffer is nowhere in the code"],
  ["`MAX_BYTES`", "MAX_BYTES is nowhere in the code"],
])("a page with %j names something that does not exist", (text, verdict) => {
  const found = deadNames(file("src/README.md", text), NAMED);

  expect(found).toEqual([expect.stringMatching(/^src\/README\.md:\d+ /)]);
  expect(found[0]).toEndWith(verdict);
});

test.each([
  "`ring/append.ts`, `src/ring/append.ts`, `ring/`, `src/`, `../test/golden/`",
  "`ring/append.ts` has `append()`\nand `grow()`; `ring/buffer.ts` has `take()`, `Buffer.take()`",
  "`Buffer`, `MAX_SPANS`, and `received`, `bun test`, `*.test.ts`, `a.b.c`",
  "```sh\n`ring/drop.ts`\n```",
])("a page may contain %j", (text) => {
  expect(deadNames(file("src/README.md", text), NAMED)).toEqual([]);
});

test("a title that no test has is found, wherever its line breaks", () => {
  const tests = file("test/ring.test.ts", 'test("a full ring evicts", () => {});');
  const text = '- `test/ring.test.ts`: "a full ring\n  evicts", "an empty one waits"';

  expect(deadTitles(file("src/README.md", text), [tests])).toEqual([
    'src/README.md: test/ring.test.ts has no test "an empty one waits"',
  ]);
});

/** Returns a page whose tree shows `src/` with these lines below it. */
function tree(...lines: readonly string[]): RepositoryFile {
  return file("src/README.md", ["```text tree", "src/   all", ...lines, "```"].join("\n"));
}

test("a tree that differs from the folders is found", () => {
  expect(treeFaults(tree("  ring/   spans", "    buffer.ts   the buffer"), NAMED)).toEqual([]);
  expect(treeFaults(tree("  ring/"), NAMED)).toEqual(["src/README.md says nothing of src/ring/"]);
  expect(treeFaults(tree("  queue/   spans"), NAMED)).toEqual([
    "src/README.md does not draw src/ring/",
    "src/README.md draws src/queue/, which is not there",
  ]);
});
