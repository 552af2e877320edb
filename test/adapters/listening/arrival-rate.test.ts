import { expect, test } from "bun:test";
import { isTooSlow } from "../../../src/adapters/listening/arrival-rate.ts";

test.each([
  { name: "nothing, before two seconds", arrivedBytes: 0, ageMs: 1_999, expected: false },
  { name: "nothing, after two seconds", arrivedBytes: 0, ageMs: 2_000, expected: true },
  { name: "1 KiB a second", arrivedBytes: 2_048, ageMs: 2_000, expected: false },
  { name: "a byte less", arrivedBytes: 2_047, ageMs: 2_000, expected: true },
  { name: "what was enough, later", arrivedBytes: 2_048, ageMs: 2_001, expected: true },
])("$name: too slow is $expected", ({ arrivedBytes, ageMs, expected }) => {
  expect(isTooSlow(arrivedBytes, ageMs)).toBe(expected);
});
