import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  hasPattern,
  indexIn,
  isFoundAt,
  NOT_FOUND,
  soughtText,
  textPattern,
} from "../../../src/domain/query/sought-text.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";

const encoder = new TextEncoder();

/** Searches between other bytes that would match, as in the ring. */
function indexAmongOthers(text: string, sought: string): number {
  const around = encoder.encode(sought);
  const bytes = Uint8Array.from([...around, ...encoder.encode(text), ...around]);
  const end = bytes.length - around.length;
  const index = indexIn(soughtText(sought), bytes, around.length, end);
  return index === NOT_FOUND ? NOT_FOUND : index - around.length;
}

function isPattern(text: string, pattern: string): boolean {
  const bytes = encoder.encode(text);
  return hasPattern(textPattern(pattern), bytes, 0, bytes.length);
}

test.each([
  { text: "GET /cart", sought: "cart", index: 5 },
  { text: "GET /cart", sought: "CART", index: 5 },
  { text: "get /CART", sought: "Get", index: 0 },
  { text: "cart", sought: "carts", index: NOT_FOUND },
  { text: "ca", sought: "cart", index: NOT_FOUND },
  { text: "", sought: "a", index: NOT_FOUND },
  { text: "ab", sought: "", index: 0 },
  { text: "péché", sought: "Éché", index: NOT_FOUND },
  { text: "péché", sought: "éCHé", index: 1 },
  { text: "a[b", sought: "A{b", index: NOT_FOUND },
  { text: "a@b", sought: "a`b", index: NOT_FOUND },
])("$sought is found in $text at $index", ({ text, sought, index }) => {
  expect(indexAmongOthers(text, sought)).toBe(index);
});

// Goal: both ways of searching agree with String.indexOf. Few letters make texts repetitive, so
// that the second way begins often.
test("a text is found where String.indexOf finds it", () => {
  const text = fc.string({ unit: fc.constantFrom("aaa", "B", "b"), maxLength: 60 });
  const sought = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
  let repetitiveCount = 0;
  const property = fc.property(text, sought, (first, second) => {
    const expected = first.toLowerCase().indexOf(second);
    repetitiveCount += Number(expected > 5);

    expect(indexAmongOthers(first, second)).toBe(expected);
  });

  fc.assert(property, { numRuns: fuzzRuns(5_000) });
  expect(repetitiveCount).toBeGreaterThan(20);
});

test("repetitive bytes are read a few times at most", () => {
  const reads = { count: 0 };
  const bytes = new Proxy(new Uint8Array(10_000).fill(0x61), {
    get: (target, key) => {
      reads.count += 1;
      return Reflect.get(target, key, target);
    },
  });

  expect(indexIn(soughtText(`b${"a".repeat(1_000)}`), bytes, 0, 10_000)).toBe(NOT_FOUND);
  expect(reads.count).toBeLessThan(40_000);
});

test("a text that does not end in time is not at its place", () => {
  const bytes = encoder.encode("cart");

  expect(isFoundAt(soughtText("art"), bytes, 1, 4)).toBe(true);
  expect(isFoundAt(soughtText("art"), bytes, 1, 3)).toBe(false);
  expect(isFoundAt(soughtText("ard"), bytes, 1, 4)).toBe(false);
});

test.each([
  { pattern: "GET /*", text: "get /orders", has: true },
  { pattern: "GET /*", text: "GET /", has: true },
  { pattern: "GET /*", text: "GET", has: false },
  { pattern: "GET", text: "GET", has: true },
  { pattern: "GET", text: "GET /", has: false },
  { pattern: "*", text: "", has: true },
  { pattern: "", text: "", has: true },
  { pattern: "", text: "a", has: false },
  { pattern: "*/orders/*/items", text: "GET /orders/{id}/items", has: true },
  { pattern: "*/orders/*/items", text: "GET /orders/items", has: false },
  { pattern: "a*a", text: "a", has: false },
  { pattern: "a*b*a", text: "aba", has: true },
  { pattern: "a*ab*b", text: "aabb", has: true },
  { pattern: "a*ab*b", text: "aab", has: false },
  { pattern: "*ab*ab*", text: "abab", has: true },
  { pattern: "*ab*ab*", text: "aba", has: false },
  { pattern: "a.c", text: "abc", has: false },
])("the pattern $pattern and the text $text: $has", ({ pattern, text, has }) => {
  expect(isPattern(text, pattern)).toBe(has);
});
