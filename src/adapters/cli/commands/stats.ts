import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { apiUrl, askForSuccess } from "../api/ask-api.ts";
import { isForwardAnswer } from "../api/forward-answer.ts";
import { isProblemsAnswer, type ListedProblem } from "../api/problems-answer.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf } from "../command/command-run.ts";
import { writeJson } from "../command/answer-form.ts";
import { forwardTable, problemTable, type StatsAnswer, statsTable } from "../render/stats-table.ts";

export async function stats(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { path: "/api/stats" });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!isStats(answer)) {
    throw new CommandFailure(EXIT_CODE.cannotConnect, "the answer is not that of /api/stats");
  }
  const problems = await askForProblems(run);
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, { ...answer, problems });
  else stdout.write(tablesText(run, answer, problems));
  return EXIT_CODE.ok;
}

async function askForProblems(run: CommandRun): Promise<readonly ListedProblem[]> {
  const response = await askForSuccess(run, { path: "/api/problems" });
  const answer: unknown = await response.json().catch(() => undefined);
  if (isProblemsAnswer(answer)) return answer.problems;
  throw new CommandFailure(EXIT_CODE.cannotConnect, "the answer is not that of /api/problems");
}

function tablesText(
  run: CommandRun,
  answer: StatsAnswer,
  problems: readonly ListedProblem[],
): string {
  const { columns } = run.stdout;
  const palette = paletteOf(run, run.stdout);
  const tables = [
    statsTable(answer, quotePeerText(apiUrl(run)), palette),
    answer.forward === undefined ? [] : forwardTable(answer.forward, columns, palette),
    problemTable(problems, columns, palette),
  ];
  const texts = tables.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}

function isStats(answer: unknown): answer is StatsAnswer {
  const { spans, bytes, capacity, sequence, uptime_seconds, forward } = (answer ??
    {}) as Partial<StatsAnswer>;
  const parts: unknown[] = [spans, bytes, capacity, sequence];
  const isWhole = parts.every((part) => typeof part === "object" && part !== null);
  const isForwardRight = forward === undefined || isForwardAnswer(forward);
  return isWhole && typeof uptime_seconds === "number" && isForwardRight;
}
