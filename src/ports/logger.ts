import type { ProblemProtocol, ProblemReason } from "../domain/problem-reason.ts";

/** The fields of a log line: never a payload, an attribute or a header value. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON line for each event. `event` is a fixed word, such as `listening`. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Something that was refused or discarded. */
export interface Problem {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  /** The address of the sender; empty if unknown, or if no sender is at fault. */
  readonly address: string;
  /** The number of occurrences, 1 by default. */
  readonly count?: number;
  /** What was wrong with this one. May quote a peer, but never an attribute. */
  readonly detail?: string;
  /** The error that was thrown by a fault of ours, for the log only. */
  readonly error?: unknown;
}

/** Records everything that is refused or discarded. */
export interface ProblemLog {
  /** Takes constant time, and bounded memory for any number of peers. */
  note(problem: Problem): void;
  /** Returns the remedy for a reason, for people and for answers to peers. */
  hint(reason: ProblemReason): string;
}
