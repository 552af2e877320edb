import type { ExitCode } from "./exit-code.ts";

/** Ends a command from wherever it is: what to tell the person, and what to tell the caller. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
  readonly exitCode: ExitCode;

  /** `message` is safe for a terminal: text of a peer in it has been quoted. */
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
