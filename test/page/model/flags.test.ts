import { expect, test } from "bun:test";
import { flagsText } from "../../../src/page/model/flags.ts";

test.each([
  [0x01, "0x1: sampled"],
  [0x02, "0x2: random trace ID"],
  [0x100, "0x100: local parent"],
  [0x301, "0x301: sampled, remote parent"],
  // Whether it is remote is unknown.
  [0x201, "0x201: sampled"],
  [0x80, "0x80"],
])("the flags %d are written %p", (flags, text) => {
  expect(flagsText(flags, "parent")).toBe(text);
});
