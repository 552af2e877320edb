import type { Figure } from "./figure.ts";

/** What one run of the benchmarks asks of each case. */
export interface BenchRun {
  /** Every contender has this many turns, one after the other. */
  readonly rounds: number;
  /** A quick look: shorter turns, so coarser figures. */
  readonly isShort: boolean;
  /** One line for whoever waits. */
  readonly progress: (text: string) => void;
}

/** Something worth measuring. A case that cannot run throws a `CannotRunError` that says why. */
export interface BenchCase {
  readonly name: string;
  /** One sentence: what its figures show. */
  readonly shows: string;
  readonly run: (run: BenchRun) => Promise<Figure[]>;
}

/** What is missing or went wrong, in words for the person at the terminal. */
export class CannotRunError extends Error {
  override name = "CannotRunError";
}
