import { NDJSON_TYPE } from "../answer-form.ts";
import { askForSuccess, bodyOf, linesOf } from "../api/ask-api.ts";
import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, isGiven, queryOf, tell } from "../command-run.ts";
import { EXIT_CODE, type ExitCode } from "../exit-code.ts";
import { escapeForTerminal } from "../json-output.ts";
import { countedText } from "../render/quantities.ts";
import { missedFromLine, spanFromLine } from "../render/shown-span.ts";
import { livePrinter } from "../row-printer.ts";

/** Follows until Ctrl-C, or until nobody reads any more. */
export async function tail(run: CommandRun): Promise<ExitCode> {
  const signal = run.interruption();
  try {
    const question = { path: "/api/tail", query: queryOf(run), accept: NDJSON_TYPE, signal };
    const response = await askForSuccess(run, question);
    const hasReader = await printLines(run, linesOf(bodyOf(response)));
    if (!hasReader) return EXIT_CODE.ok;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) return EXIT_CODE.ok;
  throw new CommandFailure(EXIT_CODE.cannotConnect, "spanring has stopped, and the spans with it");
}

/** False when the reader has left. */
async function printLines(run: CommandRun, lines: AsyncIterable<string>): Promise<boolean> {
  const print = linePrinter(run);
  for await (const line of lines) {
    const missed = missedFromLine(line);
    if (missed !== undefined) tell(run, `missed ${countedText(missed, "span")}`);
    else if (line !== "" && !print(line)) return false;
  }
  return true;
}

function linePrinter(run: CommandRun): (line: string) => boolean {
  const { stdout } = run;
  if (!stdout.isTerminal) return (line) => stdout.write(`${line}\n`);
  if (isGiven(run, "json")) return (line) => stdout.write(`${escapeForTerminal(line)}\n`);
  const print = livePrinter(run, stdout, []);
  return (line) => {
    const span = spanFromLine(line);
    return span === undefined || print(span);
  };
}
