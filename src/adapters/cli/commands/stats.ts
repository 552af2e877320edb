import { quotePeerText } from "../../../domain/quote-text.ts";
import { apiUrl, askForSuccess } from "../api/ask-api.ts";
import { isForwardAnswer } from "../api/forward-answer.ts";
import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, isGiven, paletteOf } from "../command-run.ts";
import { EXIT_CODE, type ExitCode } from "../exit-code.ts";
import { writeJson } from "../json-output.ts";
import { forwardTable } from "../render/forward-table.ts";
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
    stdout.write(`${linesOf(run, answer).join("\n")}\n`);
  }
  return EXIT_CODE.ok;
}

function linesOf(run: CommandRun, answer: StatsAnswer): string[] {
  const palette = paletteOf(run, run.stdout);
  const books = statsTable(answer, quotePeerText(apiUrl(run)), palette);
  if (answer.forward === undefined) return books;
  return [...books, "", ...forwardTable(answer.forward, run.stdout.columns, palette)];
}

function isStats(answer: unknown): answer is StatsAnswer {
  const { spans, bytes, capacity, sequence, uptime_seconds, forward } = (answer ??
    {}) as Partial<StatsAnswer>;
  const parts: unknown[] = [spans, bytes, capacity, sequence];
  const isWhole = parts.every((part) => typeof part === "object" && part !== null);
  const isForwardRight = forward === undefined || isForwardAnswer(forward);
  return isWhole && typeof uptime_seconds === "number" && isForwardRight;
}
