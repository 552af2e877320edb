import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { type CommandRun, paletteOf, tell } from "../command/command-run.ts";
import { countedText } from "../render/quantities.ts";
import { lossTexts } from "./losses.ts";
import type { Outcome } from "./run-outcome.ts";
import { failureLines, nameLines } from "./run-report.ts";

const INDENT = "  ";

/** Says on standard error how the command ended, and what was expected and did not come. */
export function tellOutcome(run: CommandRun, { command, end, checked, received }: Outcome): void {
  const { reason, exitCode } = end;
  const name = quotePeerText(command[0] ?? "");
  if (reason !== undefined) tell(run, `${name}: ${reason} (exit code ${exitCode})`);
  const palette = paletteOf(run, run.stderr);
  const columns = run.stderr.columns - INDENT.length;
  const missed = checked.filter(({ isMet }) => !isMet);
  for (const each of missed) {
    tell(run, `${palette.bad("✗")} expected ${quotePeerText(each.expectation.text)}`);
    tellBelow(run, failureLines(each, columns, palette));
  }
  if (missed.length > 0) tell(run, received.text);
  if (received.names !== undefined) tellBelow(run, nameLines(received.names, columns, palette));
  for (const loss of lossTexts(received.losses)) tell(run, loss);
  if (checked.length > 0 && missed.length === 0) {
    tell(run, `${countedText(checked.length, "expectation")} met`);
  }
}

function tellBelow({ stderr }: CommandRun, lines: readonly string[]): void {
  for (const line of lines) stderr.write(`${INDENT}${line}\n`);
}
