import { isMessage } from "../../api-messages/message.ts";
import { cleared } from "../../api-messages/messages.ts";
import { type CommandRun, queryOf, isGiven } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode, CommandFailure } from "../output/exit-code.ts";
import { answerSpans } from "./span-answer.ts";
import { askForSuccess } from "../api/ask-api.ts";
import { writeJson } from "../command/answer-form.ts";
import { countedText } from "../output/quantities.ts";

export async function take(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    question: { method: "POST", path: "/api/spans/take", query: queryOf(run) },
    isTree: false,
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: "the buffer is empty",
  });
}

export async function clear(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { method: "DELETE", path: "/api/spans" });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!isMessage(cleared(), answer)) {
    throw new CommandFailure(EXIT_CODE.cannotConnect, "the answer does not say what was removed");
  }
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, answer);
  else stdout.write(`removed ${countedText(answer.removed, "span")}\n`);
  return EXIT_CODE.ok;
}
