import { expect, test } from "bun:test";
import { residentBytes } from "../../../src/adapters/memory/resident-bytes.ts";

function withoutDescriptors(): number {
  throw new Error("too many open files");
}

test("the resident memory is that of this process", () => {
  expect(residentBytes()).toBeGreaterThan(2 ** 20);
});

test("the resident memory is unknown if it cannot be read", () => {
  expect(residentBytes(withoutDescriptors)).toBeUndefined();
});
