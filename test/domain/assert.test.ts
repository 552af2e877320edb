import { expect, test } from "bun:test";
import { assert, AssertionError } from "../../src/domain/assert.ts";

test("a true condition does not throw", () => {
  expect(() => assert(true, "one is one")).not.toThrow();
});

test("a false condition throws an AssertionError with the message", () => {
  expect(() => assert(false, "one is two")).toThrow(new AssertionError("one is two"));
});
