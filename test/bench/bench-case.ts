import type { Figure } from "./figure.ts";

/** The options of one run of the benchmarks. */
export interface BenchRun {
  /** Number of turns of each contender. */
  readonly rounds: number;
  /** Whether to run shorter turns, with coarser figures. */
  readonly isShort: boolean;
  /** Prints a line of progress. */
  readonly progress: (text: string) => void;
}

/** A benchmark. If it cannot run, it throws a `CannotRunError` with the reason. */
export interface BenchCase {
  readonly name: string;
  /** A phrase that describes what its figures show. */
  readonly shows: string;
  readonly run: (run: BenchRun) => Promise<Figure[]>;
}

/** An error whose message tells the user why the benchmark cannot run. */
export class CannotRunError extends Error {
  override name = "CannotRunError";
}
