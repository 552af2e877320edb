import type { NameTallies } from "../../../application/querying/tally-names.ts";
import type { CheckedExpectation } from "./check-expectations.ts";
import type { ChildEnd } from "./child-process.ts";
import type { Losses } from "./losses.ts";

/** How a run went: what its messages and its JUnit file are made of. */
export interface Outcome {
  readonly command: readonly string[];
  readonly end: ChildEnd;
  readonly commandSeconds: number;
  readonly checked: readonly CheckedExpectation[];
  readonly checkSeconds: number;
  readonly received: Received;
}

/** What came in at all. */
export interface Received {
  readonly text: string;
  /** Only when an expectation has found nothing: then most likely a name is not what one thinks. */
  readonly names?: NameTallies;
  readonly losses: Losses;
}

/** Not met, because nothing that matches was there. */
export function hasFoundNothing({ isMet, isUncertain, seen }: CheckedExpectation): boolean {
  return !isMet && isUncertain !== true && seen.count === 0;
}
