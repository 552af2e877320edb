/** The spans that an expectation finds, newest first as far as they are shown. */
export interface Tally {
  found: number;
  wrong: number;
  readonly newestFound: number[];
  readonly newestWrong: number[];
}

const NEWEST_SHOWN = 5;

export function emptyTally(): Tally {
  return { found: 0, wrong: 0, newestFound: [], newestWrong: [] };
}

/** Counts a span. Call it for the newest span first. */
export function count(tally: Tally, sequence: number, isWrong: boolean): void {
  tally.found += 1;
  if (tally.newestFound.length < NEWEST_SHOWN) tally.newestFound.push(sequence);
  if (!isWrong) return;
  tally.wrong += 1;
  if (tally.newestWrong.length < NEWEST_SHOWN) tally.newestWrong.push(sequence);
}
