import { quotePeerText } from "../../../domain/quote-text.ts";
import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, paletteOf, tell, valueOf } from "../command-run.ts";
import { EXIT_CODE } from "../exit-code.ts";
import { openOutFile, type OutFile } from "../files/out-file.ts";
import { countedText } from "../render/quantities.ts";
import { spanTable } from "../render/span-table.ts";
import { type CheckedExpectation, checkExpectations } from "../run/check-expectations.ts";
import { childEnvironment } from "../run/child-environment.ts";
import { type ChildEnd, runChild } from "../run/child-process.ts";
import { isInForeground } from "../run/foreground.ts";
import { junitXml, type TestCase } from "../run/junit.ts";
import type { Receiver } from "../run/receiver.ts";
import { type RunPlan, readRunPlan } from "../run/run-plan.ts";
import { failureText, receivedText } from "../run/run-report.ts";

/** Runs a command with a receiver beside it, and checks what it has emitted. */
export async function runBeside(run: CommandRun): Promise<number> {
  const plan = readRunPlan(run);
  const junit = valueOf(run, "junit");
  const file = junit === undefined ? undefined : await openOutFile(junit);
  try {
    const outcome = await runWithReceiver(run, plan);
    const fileCode = file === undefined ? EXIT_CODE.ok : await writeJunit(run, file, outcome);
    return exitCodeOf(outcome) || fileCode;
  } catch (error) {
    await file?.abandon();
    throw error;
  }
}

/** A file that cannot be written is told, and does not hide how the command has ended. */
async function writeJunit(run: CommandRun, file: OutFile, outcome: Outcome): Promise<number> {
  try {
    await file.write(junitXml(casesOf(run, outcome)));
    await file.finish();
    return EXIT_CODE.ok;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    await file.abandon();
    tell(run, error.message);
    return error.exitCode;
  }
}

interface Outcome {
  readonly end: ChildEnd;
  readonly checked: readonly CheckedExpectation[];
  readonly commandSeconds: number;
  readonly checkSeconds: number;
}

async function runWithReceiver(run: CommandRun, plan: RunPlan): Promise<Outcome> {
  const receiver = await run.startReceiver(plan.config).catch((error: unknown) => {
    throw new CommandFailure(EXIT_CODE.cannotRun, `cannot start a receiver: ${String(error)}`);
  });
  try {
    const { operands: command, clock } = run;
    const env = childEnvironment(run.env, receiver, plan.protocol);
    const begunMs = clock.monotonicMs();
    const end = await runChild({ command, env, signals: process, isInForeground });
    const endedMs = clock.monotonicMs();
    // From here on Ctrl-C is for us: it ends the waiting, not the report.
    const settleMs = end.hasNotRun ? 0 : plan.settleMs;
    const settling = { settleMs, interrupted: run.interruption() };
    const checked = await checkExpectations(receiver, plan.expectations, settling);
    const checkSeconds = (clock.monotonicMs() - endedMs) / 1000;
    const outcome = { end, checked, commandSeconds: (endedMs - begunMs) / 1000, checkSeconds };
    report(run, receiver, outcome);
    return outcome;
  } finally {
    await receiver.stop();
  }
}

/** What the command says itself comes first; an expectation tells nothing if nothing ran. */
function exitCodeOf({ end, checked }: Outcome): number {
  if (end.exitCode !== 0) return end.exitCode;
  return checked.every(({ isMet }) => isMet) ? EXIT_CODE.ok : EXIT_CODE.notFound;
}

function report(run: CommandRun, { buffer }: Receiver, { end, checked }: Outcome): void {
  const { reason, exitCode } = end;
  const command = quotePeerText(run.operands[0] ?? "");
  if (reason !== undefined) tell(run, `${command}: ${reason} (exit code ${exitCode})`);
  const failed = checked.filter(({ isMet }) => !isMet);
  for (const each of failed) tellFailure(run, each);
  if (failed.length > 0) tell(run, receivedText(buffer));
  const { evicted } = buffer.stats().spans;
  if (evicted > 0) tell(run, `${countedText(evicted, "span")} made room for others: ${MORE_ROOM}`);
  if (checked.length > 0 && failed.length === 0) {
    tell(run, `${countedText(checked.length, "expectation")} met`);
  }
}

const MORE_ROOM = "set MAX_BUFFER_SIZE, or MAX_BUFFER_BYTES, to more than the command emits";

function tellFailure(run: CommandRun, checked: CheckedExpectation): void {
  const palette = paletteOf(run, run.stderr);
  const { lines, spans } = failureText(checked);
  tell(run, `${palette.bad("✗")} expected ${quotePeerText(checked.expectation.text)}`);
  const rows = spanTable(spans, run.stderr.columns - 2, palette);
  for (const line of [...lines, ...rows]) run.stderr.write(`  ${line}\n`);
}

function casesOf({ operands }: CommandRun, outcome: Outcome): TestCase[] {
  const { end, checked, commandSeconds: seconds, checkSeconds } = outcome;
  const { reason, exitCode } = end;
  const failure = exitCode === 0 ? {} : { failure: reason ?? `ended with ${exitCode}` };
  const share = checkSeconds / Math.max(1, checked.length);
  return [
    { name: operands.join(" "), seconds, ...failure },
    ...checked.map((each) => expectationCase(each, share)),
  ];
}

function expectationCase(checked: CheckedExpectation, seconds: number): TestCase {
  const { text: name } = checked.expectation;
  if (checked.isMet) return { name, seconds };
  return { name, seconds, failure: failureText(checked).lines.join("\n") };
}
