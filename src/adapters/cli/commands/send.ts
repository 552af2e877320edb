import type { CommandRun } from "../command/command-run.ts";
import type { ExitCode } from "../output/exit-code.ts";
import { openSource } from "../send/open-source.ts";
import { openTarget } from "../send/open-target.ts";
import { pacingOf } from "../send/pacing.ts";
import { openProgress } from "../send/progress-bar.ts";
import { exitCodeOf, problemLines, summary, unreachable } from "../send/send-report.ts";
import { newTally, sendRequests } from "../send/send-requests.ts";

/** Sends files, or the messages of a topic, to a receiver or to a topic. */
export async function send(run: CommandRun): Promise<ExitCode> {
  const { clock, stderr } = run;
  const pacing = pacingOf(run);
  const source = await openSource(run);
  const target = await openTarget(run);
  const tally = newTally();
  const progress = openProgress(stderr, run, source.totalBytes);
  const signal = run.interruption();
  const startedMs = clock.monotonicMs();
  try {
    const requests = await source.begin(signal);
    const parts = { target, pacing, clock, signal, progressed: progress.update };
    await sendRequests(requests, tally, parts);
  } finally {
    progress.clear();
    await Promise.all([source.close(), target.close()]);
  }
  // Nothing else ends a source that follows.
  if (source.follows && tally.end?.reason === "interrupted") tally.end = undefined;
  if (tally.end?.reason === "unreachable" && tally.requests === 0)
    throw unreachable(target, tally.end);
  // Aside, so that a signal ends the command although nobody reads its output; the second one, if
  // the first has ended the sending.
  const interruption = signal.aborted ? undefined : signal;
  const line = `${summary(tally, clock.monotonicMs() - startedMs)}\n`;
  await run.stdout.writeAside(line, interruption);
  const problems = problemLines(tally, source.problems, target);
  const lines = problems.map((problem) => `spanring: ${problem}\n`).join("");
  await stderr.writeAside(lines, interruption);
  const isInterrupted = tally.end?.reason === "interrupted";
  return (isInterrupted ? run.interruptedCode() : undefined) ?? exitCodeOf(tally, source.problems);
}
