import { expect, test } from "bun:test";
import { FILE_ENDINGS, formatOfPath } from "../../../src/domain/text/file-format.ts";

test.each([
  ["spans.json", "json"],
  ["a/spans.jsonl", "json"],
  ["SPANS.NDJSON", "json"],
  ["spans.1.binpb", "proto"],
  ["spans.pb", "proto"],
  ["spans.proto", "proto"],
  ["spans.txt", undefined],
  ["spans.json.gz", undefined],
  ["json", undefined],
  ["spans.constructor", undefined],
  ["", undefined],
])("the format of %p is %p by its ending", (path, format) => {
  expect(formatOfPath(path)).toBe(format as ReturnType<typeof formatOfPath>);
});

test("every documented ending names a format", () => {
  expect(FILE_ENDINGS.filter((ending) => formatOfPath(`x${ending}`) === undefined)).toEqual([]);
  expect(FILE_ENDINGS).toContain(".jsonl");
});
