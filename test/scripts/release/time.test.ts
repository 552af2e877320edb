import { expect, test } from "bun:test";
import { archiveSeconds } from "../../../scripts/release/time.ts";

test.each([
  { name: "the time that npm uses", env: {}, seconds: 499_162_500 },
  { name: "SOURCE_DATE_EPOCH", env: { SOURCE_DATE_EPOCH: "1700000000" }, seconds: 1_700_000_000 },
  { name: "that of npm if it is empty", env: { SOURCE_DATE_EPOCH: "" }, seconds: 499_162_500 },
])("the time in archives is $name", ({ env, seconds }) => {
  expect(archiveSeconds(env)).toBe(seconds);
});

test("a time that is not in seconds is refused", () => {
  const env = { SOURCE_DATE_EPOCH: "2023-11-14" };

  expect(() => archiveSeconds(env)).toThrow('SOURCE_DATE_EPOCH="2023-11-14": must be a number');
});
