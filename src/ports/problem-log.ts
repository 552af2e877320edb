import type { ProblemProtocol, ProblemReason } from "../domain/problem-reason.ts";

/** Something that was refused or discarded. */
export interface Problem {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  /** Who sent it; empty where nobody is to blame, or nobody knows. */
  readonly address: string;
  /** How many at once; 1 when not given. */
  readonly count?: number;
  /** What was wrong with this one. Text of a peer may be part of it, attributes never. */
  readonly detail?: string;
  /** For the log alone: what was thrown, when the fault is ours. */
  readonly error?: unknown;
}

/** Where everything is recorded that is refused or discarded. */
export interface ProblemLog {
  /** Takes constant time, and bounded memory however many different peers there are. */
  note(problem: Problem): void;
  /** Returns what to do about a reason, as it is shown to people; fit for an answer to a peer. */
  hint(reason: ProblemReason): string;
}
