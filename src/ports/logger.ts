import type { ProblemProtocol, ProblemReason } from "../domain/problem-reason.ts";

/** The fields of a log line. They never include a payload, an attribute or a header value. */
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
  /** The details of this occurrence. They may quote a peer, but never an attribute. */
  readonly detail?: string;
  /** The exception behind an internal error, for the log only. */
  readonly error?: unknown;
}

/** Records everything that is refused or discarded. */
export interface ProblemLog {
  /** Notes a problem, in constant time and in bounded memory for any number of peers. */
  note(problem: Problem): void;
  /** Returns the remedy for a reason, for people and for responses to peers. */
  hint(reason: ProblemReason): string;
}
