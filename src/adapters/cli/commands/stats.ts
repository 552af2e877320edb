import { quotePeerText } from "../../../domain/quote-text.ts";
import { apiUrl, askForSuccess } from "../api/ask-api.ts";
import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, isGiven, paletteOf } from "../command-run.ts";
import { EXIT_CODE, type ExitCode } from "../exit-code.ts";
import { writeJson } from "../json-output.ts";
import { type StatsAnswer, statsTable } from "../render/stats-table.ts";

export async function stats(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { path: "/api/stats" });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!isStats(answer)) {
    throw new CommandFailure(EXIT_CODE.cannotConnect, "the answer is not that of /api/stats");
  }
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, answer);
  else {
    const lines = statsTable(answer, quotePeerText(apiUrl(run)), paletteOf(run, stdout));
    stdout.write(`${lines.join("\n")}\n`);
  }
  return EXIT_CODE.ok;
}

function isStats(answer: unknown): answer is StatsAnswer {
  const { spans, bytes, capacity, sequence, uptime_seconds } = (answer ??
    {}) as Partial<StatsAnswer>;
  const parts: unknown[] = [spans, bytes, capacity, sequence];
  const isWhole = parts.every((part) => typeof part === "object" && part !== null);
  return isWhole && typeof uptime_seconds === "number";
}
