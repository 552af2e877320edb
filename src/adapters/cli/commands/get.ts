import { type CommandRun, isGiven, queryOf } from "../command-run.ts";
import { EXIT_CODE, type ExitCode } from "../exit-code.ts";
import { answerSpans } from "../span-answer.ts";

export async function get(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    question: { path: "/api/spans", query: queryOf(run) },
    isTree: isGiven(run, "trace-id"),
    exitCodeWhenEmpty: EXIT_CODE.notFound,
  });
}
