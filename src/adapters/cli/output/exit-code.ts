/** The exit codes, as `spanring help exit-codes` lists them. */
export const EXIT_CODE = {
  ok: 0,
  /**
   * The configuration is valid, but the program cannot run: a port is in use, for example. Or it
   * could not stop in time.
   */
  cannotRun: 1,
  /** A command found nothing, or not in time. */
  notFound: 1,
  /** The receiver did not accept everything that was sent. */
  notAccepted: 1,
  /** The configuration or the command line is invalid; nothing was tried. */
  badUsage: 2,
  /** A command cannot reach spanring, or gets an unusable response. */
  cannotConnect: 3,
  /** Standard output cannot be written, for example because a disk is full. */
  cannotWrite: 4,
  /** The program has stopped, but could not keep the spans that it was to deliver or to keep. */
  lostSpans: 5,
  /** The user pressed Ctrl-C. As in a shell, 128 plus the number of the signal, here SIGINT. */
  interrupted: 130,
  /** SIGTERM ended the program: 128 plus the number of that signal. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];

/** Ends a command with a message for the user and an exit code for the caller. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
  readonly exitCode: ExitCode;

  /** `message` must be safe for a terminal: quote the text of peers. */
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
