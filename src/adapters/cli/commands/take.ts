import { type CommandRun, queryOf } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../command/exit-code.ts";
import { answerSpans } from "./span-answer.ts";

export async function take(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    question: { method: "POST", path: "/api/spans/take", query: queryOf(run) },
    isTree: false,
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: "the buffer is empty",
  });
}
