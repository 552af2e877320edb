import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { readGivenExpectations } from "../../../../src/adapters/cli/run/given-expectations.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

function fileOf(texts: readonly string[]): string {
  const path = join(temporaryFolder(), "spans.json");
  writeFileSync(path, JSON.stringify(texts));
  return path;
}

test("expectations of options and of files keep their order", () => {
  const options = [
    { name: "expect", value: "name=a" },
    { name: "expect-file", value: fileOf(["name=b", "name=c"]) },
    { name: "settle", value: "1s" },
    { name: "expect", value: "name=d" },
  ] as const;

  const { expectations, mistakes } = readGivenExpectations({ options }, 0n);

  expect(expectations.map(({ text }) => text)).toEqual(["name=a", "name=b", "name=c", "name=d"]);
  expect(mistakes).toEqual([]);
});

test("every mistake is reported with its origin", () => {
  const path = fileOf(["name=b", "kind=1 & nmae=c"]);
  const options = [
    { name: "expect", value: "nmae=a" },
    { name: "expect-file", value: path },
    { name: "expect-file", value: `${path}x` },
  ] as const;

  const { mistakes } = readGivenExpectations({ options }, 0n);

  expect(mistakes).toEqual([
    expect.stringContaining("--expect, column 1: unknown condition"),
    expect.stringContaining(`${path}, expectation 2, column 10: unknown condition`),
    `--expect-file: ${path}x: no such file or folder`,
  ]);
});
