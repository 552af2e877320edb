import type { Ledger } from "../../../src/domain/ledger.ts";

/** Returns a ledger with these entries; all others are 0. */
export function ledgerOf(entries: Partial<Ledger> = {}): {
  -readonly [Entry in keyof Ledger]: number;
} {
  const empty = { received: 0, rejected: 0, accepted: 0, buffered: 0 };
  return { ...empty, taken: 0, delivered: 0, evicted: 0, undeliverable: 0, ...entries };
}
