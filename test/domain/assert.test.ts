import { expect, test } from "bun:test";
import { assert, AssertionError } from "../../src/domain/assert.ts";

test("what holds passes in silence", () => {
  expect(() => assert(true, "one is one")).not.toThrow();
});

test("a false condition throws its own error type, with the message", () => {
  expect(() => assert(false, "one is two")).toThrow(new AssertionError("one is two"));
});
