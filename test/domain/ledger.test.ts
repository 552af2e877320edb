import { expect, test } from "bun:test";
import { AssertionError } from "../../src/domain/assert.ts";
import { assertBooksBalance } from "../../src/domain/ledger.ts";

const balanced = { received: 10, rejected: 1, accepted: 9, buffered: 2, taken: 3, evicted: 4 };

test("books that balance pass in silence", () => {
  expect(() => assertBooksBalance(balanced)).not.toThrow();
});

test.each([
  { entry: "received", line: "received = rejected + accepted" },
  { entry: "rejected", line: "received = rejected + accepted" },
  { entry: "buffered", line: "accepted = buffered + taken + evicted" },
  { entry: "taken", line: "accepted = buffered + taken + evicted" },
  { entry: "evicted", line: "accepted = buffered + taken + evicted" },
] as const)("one span too many in $entry is found", ({ entry, line }) => {
  const books = { ...balanced, [entry]: balanced[entry] + 1 };

  expect(() => assertBooksBalance(books)).toThrow(new AssertionError(line));
});
