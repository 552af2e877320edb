import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { failureOf, type Problem, problemOf } from "../api/ask-api.ts";
import { inOptions, optionText } from "../api/option-words.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf, queryOf } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";
import { spanTable } from "../render/span-table.ts";
import { answerSpans } from "./span-answer.ts";

const TIMED_OUT = 408;
const CAME_ALL_THE_SAME = 409;

/** So many spans tell what went wrong; more would hide it. */
const MAX_SHOWN = 10;

export async function wait(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    question: { path: "/api/wait", query: queryOf(run) },
    isTree: isGiven(run, "trace-complete"),
    // Of what was to stay away nothing came.
    exitCodeWhenEmpty: EXIT_CODE.ok,
    emptyText: "no span came",
    asFailure: (response) => waitFailure(run, response),
  });
}

async function waitFailure(run: CommandRun, response: Response): Promise<CommandFailure> {
  const isExpected = [TIMED_OUT, CAME_ALL_THE_SAME].includes(response.status);
  const problem = isExpected ? await problemOf(response) : undefined;
  if (problem === undefined) return await failureOf(response);
  const lines = response.status === TIMED_OUT ? missLines(run, problem) : cameLines(run, problem);
  return new CommandFailure(EXIT_CODE.notFound, lines.join("\n"));
}

/** How many came, and what would have been found without the last filter. */
function missLines(run: CommandRun, problem: Problem): string[] {
  const { found, wanted, nearest } = problem;
  // A trace may be incomplete with as many spans as were wanted: only the server knows why.
  const isCount = !isGiven(run, "trace-complete") && typeof found === "number";
  const counts =
    isCount && typeof wanted === "number"
      ? `${found} of ${countedText(wanted, "span")} came in time`
      : quotePeerText(inOptions(problem));
  if (typeof nearest !== "object" || nearest === null) return [counts];
  const { without, count, spans } = nearest as Readonly<Record<string, unknown>>;
  if (typeof count !== "number" || count === 0) return [counts];
  const condition = quotePeerText(optionText(String(without)));
  const near = `without ${condition} there ${count === 1 ? "is" : "are"}`;
  return [counts, `${near} ${countedText(count, "span")}:`, ...spanLines(run, spans)];
}

function cameLines(run: CommandRun, problem: Problem): string[] {
  return [quotePeerText(inOptions(problem)), ...spanLines(run, problem["spans"])];
}

function spanLines(run: CommandRun, request: unknown): string[] {
  const spans = spansFromOtlpJson(request).slice(0, MAX_SHOWN);
  return spanTable(spans, run.stderr.columns, paletteOf(run, run.stderr));
}
