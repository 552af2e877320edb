import type { InspectedLog } from "../../../application/log/inspect-log.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { writeJson } from "../command/answer-form.ts";
import {
  CannotInspectError,
  type CommandRun,
  isGiven,
  paletteOf,
  report,
} from "../command/command-run.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { logText } from "../render/log-table.ts";

/** Lists and verifies the log in a directory. */
export async function log(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const [path = ""] = run.operands;
  const inspected = await inspect(run, path);
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, inspected);
  else stdout.write(logText(inspected, stdout.columns, paletteOf(run, stdout)));
  if (isIntact(inspected)) return EXIT_CODE.ok;
  report(run, "damage was found; a start restores everything else");
  return EXIT_CODE.notFound;
}

async function inspect(run: CommandRun, path: string): Promise<InspectedLog> {
  const shown = quotePeerText(path);
  const inspected = await run.inspectDirectory(path).catch((error: unknown) => {
    if (!(error instanceof CannotInspectError)) throw error;
    throw new CommandFailure(EXIT_CODE.notFound, `cannot inspect ${shown}: ${error.message}`);
  });
  if (inspected.segments.length > 0) return inspected;
  throw new CommandFailure(EXIT_CODE.notFound, `${shown} has no log`);
}

function isIntact({ damage, lostSpans, missingSegments }: InspectedLog): boolean {
  return damage.length === 0 && lostSpans === 0 && missingSegments.length === 0;
}
