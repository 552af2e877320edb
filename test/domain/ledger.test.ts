import { expect, test } from "bun:test";
import { AssertionError } from "../../src/domain/assert.ts";
import { assertLedgerBalances } from "../../src/domain/ledger.ts";

const left = { taken: 3, delivered: 5, evicted: 4, undeliverable: 6 };
const balanced = { received: 21, rejected: 1, accepted: 20, buffered: 2, ...left };

const ACCEPTED = "accepted = buffered + taken + delivered + evicted + undeliverable";

test("a balanced ledger passes", () => {
  expect(() => assertLedgerBalances(balanced)).not.toThrow();
});

test.each([
  { entry: "received", line: "received = rejected + accepted" },
  { entry: "rejected", line: "received = rejected + accepted" },
  { entry: "buffered", line: ACCEPTED },
  { entry: "taken", line: ACCEPTED },
  { entry: "delivered", line: ACCEPTED },
  { entry: "evicted", line: ACCEPTED },
  { entry: "undeliverable", line: ACCEPTED },
] as const)("one span too many in $entry is found", ({ entry, line }) => {
  const ledger = { ...balanced, [entry]: balanced[entry] + 1 };

  expect(() => assertLedgerBalances(ledger)).toThrow(new AssertionError(line));
});
