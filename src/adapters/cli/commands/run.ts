import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { type CommandRun, isGiven, report, valueOf } from "../command/command-run.ts";
import { collectedText } from "../output/text-stream.ts";
import { checkOutFile, writeOutFile } from "../files/out-file.ts";
import { prepareReadyFile, writeReadyFile } from "../files/ready-file.ts";
import { endpointsOf } from "../render/endpoints.ts";
import { checkExpectations } from "../run/check-expectations.ts";
import { childEnvironment } from "../run/child-environment.ts";
import { endInterruptedLine, isForegroundProcess } from "../output/foreground.ts";
import { type ChildEnd, runChild } from "../run/child-process.ts";
import { reportToGithub } from "../run/github-report.ts";
import { ignoredReporter } from "../run/ignored-signal.ts";
import { junitXml, outcomeCases } from "../run/junit.ts";
import { type Outcome, summariseReceived, reportOutcome } from "../run/run-report.ts";
import { readSpanFile, saveReceived } from "../run/save-received.ts";
import { showReceived, tailReceived } from "../run/show-received.ts";
import { type RunPlan, readRunPlan } from "../run/run-plan.ts";

/** Runs a command with a receiver, and checks the spans it has emitted. */
export async function runBeside(run: CommandRun): Promise<number> {
  const plan = readRunPlan(run);
  const junit = valueOf(run, "junit");
  if (junit !== undefined) checkOutFile(junit);
  const readyFile = valueOf(run, "ready-file");
  if (readyFile !== undefined) prepareReadyFile(readyFile);
  const spanFile = readSpanFile(run);
  const messages = collectedText(run.stderr);
  const reporting = { ...run, stderr: messages };
  try {
    const { outcome, spanFileCode } = await runWithReceiver({ run, reporting }, plan, spanFile);
    reportOutcome(reporting, outcome);
    const cases = outcomeCases(outcome);
    reportToGithub(reporting, cases);
    const junitCode = await codeOfFile(reporting, async () => {
      if (junit !== undefined) await writeOutFile(junit, junitXml(cases));
    });
    // The second signal, if the first has ended the wait for spans.
    const signal = run.interruption();
    await messages.flush(signal.aborted ? undefined : signal);
    return exitCodeOf(outcome) || spanFileCode || junitCode;
  } finally {
    await messages.flush();
  }
}

/** Holds a run with its own standard error, and with one that collects. */
interface Runs {
  readonly run: CommandRun;
  /**
   * Collects what it reports after the command, which is printed at the end: a signal then ends the
   * program although nobody reads its standard error.
   */
  readonly reporting: CommandRun;
}

/** Reports a file that cannot be written; the exit code of the command takes precedence. */
async function codeOfFile(run: CommandRun, write: () => Promise<void>): Promise<number> {
  try {
    await write();
    return EXIT_CODE.ok;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    report(run, error.message);
    return error.exitCode;
  }
}

/** The outcome of a run, and the exit code of saving its spans. */
interface Ended {
  readonly outcome: Outcome;
  readonly spanFileCode: number;
}

async function runWithReceiver(
  { run, reporting }: Runs,
  plan: RunPlan,
  spanFile: ReturnType<typeof readSpanFile>,
): Promise<Ended> {
  const receiver = await run.startReceiver(plan.config).catch((error: unknown) => {
    throw new CommandFailure(EXIT_CODE.cannotRun, `cannot start a receiver: ${String(error)}`);
  });
  let withdraw: (() => void) | undefined;
  try {
    const { operands: command, clock } = run;
    const env = childEnvironment(run.env, receiver, plan.protocol);
    const readyFile = valueOf(run, "ready-file");
    const endpoints = endpointsOf({ config: plan.config, ports: receiver.ports });
    if (readyFile !== undefined) withdraw = await writeReadyFile(readyFile, { endpoints, env });
    const begunMs = clock.monotonicMs();
    const endTail = isGiven(run, "tail") ? tailReceived(run, receiver) : undefined;
    const end = await runChild({
      command,
      env,
      signals: run.signals,
      isInForeground: isForegroundProcess,
      ignored: ignoredReporter(run),
      // From here on, Ctrl-C ends the wait for spans, but not the report.
      ended: () => void run.interruption(),
    });
    const interrupted = run.interruption();
    await endTail?.(interrupted);
    const endedMs = clock.monotonicMs();
    const settleMs = end.hasNotRun ? 0 : plan.settleMs;
    const settling = { settleMs, interrupted };
    const checked = await checkExpectations(receiver, plan.expectations, settling);
    endInterruptedLine(reporting.stderr, run.interruptedCode() ?? interruptedCodeOf(run, end));
    const checkSeconds = (clock.monotonicMs() - endedMs) / 1000;
    const commandSeconds = (endedMs - begunMs) / 1000;
    if (isGiven(run, "show")) await showReceived(reporting, receiver);
    const spanFileCode = await codeOfFile(reporting, async () => {
      if (spanFile !== undefined) await saveReceived(reporting, receiver, spanFile);
    });
    const received = await summariseReceived(receiver, checked);
    const outcome = { command, end, commandSeconds, checked, checkSeconds, received };
    return { outcome, spanFileCode };
  } finally {
    withdraw?.();
    await receiver.stop();
  }
}

/** Returns the exit code of the command if Ctrl-C may be its cause. */
function interruptedCodeOf({ signals }: CommandRun, { exitCode }: ChildEnd): number | undefined {
  return signals.wasInterrupted() ? exitCode : undefined;
}

/** Returns the command's exit code if it failed, and that of the expectations otherwise. */
function exitCodeOf({ end, checked }: Outcome): number {
  if (end.exitCode !== 0) return end.exitCode;
  return checked.every(({ isMet }) => isMet) ? EXIT_CODE.ok : EXIT_CODE.notFound;
}
