import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { apiUrl, askForSuccess, messageIn } from "../api/ask-api.ts";
import { problems as problemsMessage, stats as statsMessage } from "../../api-messages/messages.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf } from "../command/command-run.ts";
import { writeJson } from "../command/answer-form.ts";
import {
  forwardTable,
  type ListedProblem,
  problemTable,
  type StatsAnswer,
  statsTable,
} from "../render/stats-table.ts";

export async function stats(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { path: "/api/stats" });
  const answer = await messageIn(response, statsMessage);
  const problems = await askForProblems(run);
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, { ...answer, problems });
  else stdout.write(tablesText(run, answer, problems));
  return EXIT_CODE.ok;
}

async function askForProblems(run: CommandRun): Promise<readonly ListedProblem[]> {
  const response = await askForSuccess(run, { path: "/api/problems" });
  return (await messageIn(response, problemsMessage)).problems;
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
