/** The spans that an expectation finds, newest first as far as they are shown. */
export interface Tally {
  found: number;
  wrong: number;
  readonly newestFound: number[];
  readonly newestWrong: number[];
  readonly maxShown: number;
}

export function emptyTally(maxShown: number): Tally {
  return { found: 0, wrong: 0, newestFound: [], newestWrong: [], maxShown };
}

/** Counts a span. Call it for the newest span first. */
export function count(tally: Tally, sequence: number, isWrong: boolean): void {
  tally.found += 1;
  if (tally.newestFound.length < tally.maxShown) tally.newestFound.push(sequence);
  if (!isWrong) return;
  tally.wrong += 1;
  if (tally.newestWrong.length < tally.maxShown) tally.newestWrong.push(sequence);
}
