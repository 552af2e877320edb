import { readDuration } from "../../../domain/query/time-text.ts";
import { NANOS_PER_MS } from "../../../domain/time.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { failureOf, type Problem, problemOf } from "../api/ask-api.ts";
import { inOptions, optionText } from "../api/option-words.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf, queryOf, valueOf } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";
import { spanTable } from "../render/span-table.ts";
import { answerSpans } from "./span-answer.ts";

const TIMED_OUT = 408;
const ARRIVED_UNWANTED = 409;

/** Limits the spans that are shown after a failure: a few are enough to see the cause. */
const MAX_SHOWN = 10;

export async function wait(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    call: { path: "/api/wait", query: queryOf(run), waitMs: timeoutMs(run) },
    isTree: isGiven(run, "trace-complete"),
    // With --absent, an empty response is the success.
    exitCodeWhenEmpty: EXIT_CODE.ok,
    emptyText: "no span arrived",
    asFailure: (response) => waitFailure(run, response),
  });
}

/** The default timeout of the read API. */
const DEFAULT_TIMEOUT = "10s";

/** Returns the timeout; the default for an invalid one, which the server rejects at once. */
function timeoutMs(run: CommandRun): number {
  const timeout = readDuration(valueOf(run, "timeout") ?? DEFAULT_TIMEOUT);
  return Number((timeout ?? readDuration(DEFAULT_TIMEOUT)!) / NANOS_PER_MS);
}

async function waitFailure(run: CommandRun, response: Response): Promise<CommandFailure> {
  const isExpected = [TIMED_OUT, ARRIVED_UNWANTED].includes(response.status);
  const problem = isExpected ? await problemOf(response) : undefined;
  if (problem === undefined) return await failureOf(response);
  const lines =
    response.status === TIMED_OUT ? missLines(run, problem) : unwantedLines(run, problem);
  return new CommandFailure(EXIT_CODE.notFound, lines.join("\n"));
}

/** Returns how many spans arrived, and how many would match without the last filter. */
function missLines(run: CommandRun, problem: Problem): string[] {
  const { found, wanted, nearest } = problem;
  // A trace may be incomplete although it has enough spans: only the server knows why.
  const isCount = !isGiven(run, "trace-complete") && typeof found === "number";
  const counts =
    isCount && typeof wanted === "number"
      ? `${found} of ${countedText(wanted, "span")} arrived in time`
      : quotePeerText(inOptions(problem));
  if (typeof nearest !== "object" || nearest === null) return [counts];
  const { without, count, spans } = nearest as Readonly<Record<string, unknown>>;
  if (typeof count !== "number" || count === 0) return [counts];
  const condition = quotePeerText(optionText(String(without)));
  const verb = count === 1 ? "matches" : "match";
  return [
    counts,
    `${countedText(count, "span")} ${verb} without ${condition}:`,
    ...spanLines(run, spans),
  ];
}

function unwantedLines(run: CommandRun, problem: Problem): string[] {
  return [quotePeerText(inOptions(problem)), ...spanLines(run, problem["spans"])];
}

function spanLines(run: CommandRun, request: unknown): string[] {
  const spans = spansFromOtlpJson(request).slice(0, MAX_SHOWN);
  return spanTable(spans, run.stderr.columns, paletteOf(run, run.stderr));
}
