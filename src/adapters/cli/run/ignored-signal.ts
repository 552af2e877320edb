import { type CommandRun, report } from "../command/command-run.ts";

/** Returns what says why Ctrl-C seems to do nothing. A log needs no such line. */
export function ignoredReporter(run: CommandRun): () => void {
  const message = `the command received the signal but is still running; Ctrl-\\ sends SIGQUIT`;
  return () => {
    if (run.stderr.isTerminal) report(run, message);
  };
}
