import { quotePeerText } from "../../../domain/quote-text.ts";
import { type CommandRun, paletteOf, tell } from "../command-run.ts";
import { countedText } from "../render/quantities.ts";
import type { Outcome, Received } from "./run-outcome.ts";
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
  for (const loss of lossTexts(received)) tell(run, loss);
  if (checked.length > 0 && missed.length === 0) {
    tell(run, `${countedText(checked.length, "expectation")} met`);
  }
}

/** Why an expectation may have missed what was sent. */
export function lossTexts({ evicted, rejected }: Received): string[] {
  const room = `${countedText(evicted, "span")} made room for others`;
  const refused = `${countedText(rejected, "span")} rejected as not valid`;
  return [
    ...(evicted > 0 ? [`expectations may have missed spans: ${room}; ${MORE_ROOM}`] : []),
    ...(rejected > 0 ? [`expectations have missed spans: ${refused}`] : []),
  ];
}

const MORE_ROOM = "set MAX_BUFFER_SIZE, or MAX_BUFFER_BYTES, to more than the command emits";

function tellBelow({ stderr }: CommandRun, lines: readonly string[]): void {
  for (const line of lines) stderr.write(`${INDENT}${line}\n`);
}
