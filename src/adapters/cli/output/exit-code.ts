/** What the program's end tells its caller. `--help` lists them. */
export const EXIT_CODE = {
  ok: 0,
  /** The configuration is right, but the program could not do its work: a port in use, say. */
  cannotRun: 1,
  /** What a command was asked for is not there, or was not there in time. */
  notFound: 1,
  /** Not everything that was to be sent was accepted. */
  notAccepted: 1,
  /** Nothing was tried: the configuration or the command line is wrong. */
  badUsage: 2,
  /** The program that a command talks to cannot be reached, or does not answer as it should. */
  cannotConnect: 3,
  /** Standard output takes no more, and has not got all: a disk is full, say. */
  cannotWrite: 4,
  /** Ctrl-C before it was done, as a shell says it: 128 and the signal's number. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];

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
