import { expect, test } from "bun:test";
import { CallSlots } from "../../../src/adapters/otlp-grpc/call-slots.ts";
import { AssertionError } from "../../../src/domain/assert.ts";

test("as many are taken as there are, and one more when one is free again", () => {
  const slots = new CallSlots(2);

  const taken = [slots.take(), slots.take(), slots.take()];
  slots.free();

  expect(taken).toEqual([true, true, false]);
  expect(slots.take()).toBe(true);
});

test("freeing what was not taken is a broken belief", () => {
  expect(() => new CallSlots(1).free()).toThrow(AssertionError);
});
