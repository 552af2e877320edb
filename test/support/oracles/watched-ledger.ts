import type { BufferStats, Ledger } from "../../../src/domain/ledger.ts";
import type { ReadApiClient } from "../running/read-api-client.ts";

export function balances({ received, rejected, accepted, ...left }: Ledger): boolean {
  const { buffered, taken, delivered, evicted, undeliverable } = left;
  const whereabouts = buffered + taken + delivered + evicted + undeliverable;
  return received === rejected + accepted && accepted === whereabouts;
}

export interface LedgerWatch {
  readonly readings: number;
  readonly unbalanced: readonly BufferStats[];
}

/** Reads the ledger continuously while something goes on, and once afterwards. */
export async function watchLedger(
  api: ReadApiClient,
  work: Promise<unknown>,
): Promise<LedgerWatch> {
  const state = { isDone: false };
  const end = work.finally(() => (state.isDone = true));
  const unbalanced: BufferStats[] = [];
  let readings = 0;
  for (let isLast = false; !isLast;) {
    isLast = state.isDone;
    const stats = await api.stats();
    readings += 1;
    if (!balances(stats.spans) || !balances(stats.bytes)) unbalanced.push(stats);
  }
  await end;
  return { readings, unbalanced };
}

/** Resolves to the first matching reading; a test that waits in vain runs into its time limit. */
export async function ledgerWhen(
  api: ReadApiClient,
  isWanted: (stats: BufferStats) => boolean,
): Promise<BufferStats> {
  for (;;) {
    const stats = await api.stats();
    if (isWanted(stats)) return stats;
  }
}

/** Resolves when no spans are buffered. */
export function ledgerWhenEmpty(api: ReadApiClient): Promise<BufferStats> {
  return ledgerWhen(api, ({ spans }) => spans.buffered === 0);
}
