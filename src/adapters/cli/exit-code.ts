/** What the program's end tells its caller. `--help` lists them. */
export const EXIT_CODE = {
  ok: 0,
  /** The configuration is right, but the program could not do its work: a port in use, say. */
  cannotRun: 1,
  /** Nothing was tried: the configuration or the command line is wrong. */
  badUsage: 2,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
