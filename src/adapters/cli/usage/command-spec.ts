import type { OptionName } from "./option-table.ts";

/** Describes a command of the command line, other than serving. */
export interface CommandSpec {
  /** The operands in the usage line, such as `[TRACE_ID]` or `FILE...`; empty for none. */
  readonly operands: string;
  readonly minOperands: number;
  readonly maxOperands: number;
  /** Says in one line what the command does. */
  readonly summary: string;
  /** Paragraphs of whole sentences; the help wraps them. */
  readonly details: readonly string[];
  readonly options: readonly OptionName[];
  /** The meanings of options that differ from those in other commands. */
  readonly meanings?: Readonly<Partial<Record<OptionName, string>>>;
  readonly found: string;
  readonly notFound?: string;
  /** Whether no connection can fail, or a failure has the exit code of `notFound`. */
  readonly isLocal?: boolean;
  /** Whether the command prints nothing, so that no output can fail. */
  readonly isSilent?: boolean;
  /** Whether Ctrl-C is its usual end, with 0. */
  readonly untilInterrupted?: true;
  /** Whether it may have any exit code, because it ends with that of another command. */
  readonly hasAnyExitCode?: true;
  readonly otherExits?: readonly (readonly [code: string, meaning: string])[];
  readonly examples: readonly string[];
}

/** Options of all commands that talk to a running spanring, and of those that print spans. */
export const WHERE = ["url", "token-file", "ca", "help"] as const;
export const FORMS = ["json", "otlp", "out", "format"] as const;
