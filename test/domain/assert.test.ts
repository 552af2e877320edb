import { expect, test } from "bun:test";
import { assert, AssertionError } from "../../src/domain/assert.ts";

test("what holds passes in silence", () => {
  expect(() => assert(true, "one is one")).not.toThrow();
});

test("what does not hold is an error of its own kind, which says what was believed", () => {
  expect(() => assert(false, "one is two")).toThrow(new AssertionError("one is two"));
});
