import type { Received } from "../../api-messages/message.ts";
import { presentProblem, timeUpProblem } from "../../api-messages/wait-messages.ts";
import { readDuration } from "../../../domain/query/time-text.ts";
import { NANOS_PER_MS } from "../../../domain/time.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { failureOf, hasProblem, messageIn } from "../api/ask-api.ts";
import { inOptions, optionText } from "../api/option-words.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf, queryOf, valueOf } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";
import { spanTable } from "../render/span-table.ts";
import { showRows, showTrees } from "./show-spans.ts";
import { answerSpans } from "./span-answer.ts";
import { hasExpectations, waitForExpectations } from "./wait-expectations.ts";

const TIMED_OUT = 408;
const ARRIVED_UNWANTED = 409;

/** Limits the spans that are shown after a failure: a few are enough to see the cause. */
const MAX_SHOWN = 10;

export async function wait(run: CommandRun): Promise<ExitCode> {
  if (hasExpectations(run)) return await waitForExpectations(run, OVERTIME * timeoutMs(run));
  return await answerSpans(run, {
    call: { path: "/api/wait", query: queryOf(run), waitMs: OVERTIME * timeoutMs(run) },
    show: isGiven(run, "trace-complete") ? showTrees({}) : showRows,
    // With --absent, an empty response is the success.
    exitCodeWhenEmpty: EXIT_CODE.ok,
    emptyText: "no span arrived",
    asFailure: (response) => waitFailure(run, response),
  });
}

/** The server searches for a near miss for up to as long again as the timeout. */
const OVERTIME = 2;

/** The default timeout of the read API. */
const DEFAULT_TIMEOUT = "10s";

/** Returns the timeout; the default for an invalid one, which the server rejects at once. */
function timeoutMs(run: CommandRun): number {
  const timeout = readDuration(valueOf(run, "timeout") ?? DEFAULT_TIMEOUT);
  return Number((timeout ?? readDuration(DEFAULT_TIMEOUT)!) / NANOS_PER_MS);
}

async function waitFailure(run: CommandRun, response: Response): Promise<CommandFailure> {
  const lines = hasProblem(response) ? await resultLines(run, response) : undefined;
  if (lines === undefined) return await failureOf(response);
  return new CommandFailure(EXIT_CODE.notFound, lines.join("\n"));
}

/** Returns the lines about a wait that did not succeed; undefined if it did not take place. */
async function resultLines(run: CommandRun, response: Response): Promise<string[] | undefined> {
  switch (response.status) {
    case TIMED_OUT:
      return missLines(run, await messageIn(response, timeUpProblem));
    case ARRIVED_UNWANTED:
      return unwantedLines(run, await messageIn(response, presentProblem));
    default:
      return undefined;
  }
}

/** Returns how many spans arrived, and how many would match without the last filter. */
function missLines(run: CommandRun, problem: Received<typeof timeUpProblem>): string[] {
  const { found, wanted, nearest } = problem;
  // A trace may be incomplete although it has enough spans: only the server knows why.
  const counts = isGiven(run, "trace-complete")
    ? quotePeerText(inOptions(problem))
    : `${found} of ${countedText(wanted, "span")} arrived in time`;
  if (nearest === undefined || nearest.count === 0) return [counts];
  const { without, count, spans } = nearest;
  const condition = quotePeerText(optionText(without));
  const verb = count === 1 ? "matches" : "match";
  return [
    counts,
    `${countedText(count, "span")} ${verb} without ${condition}:`,
    ...spanLines(run, spans),
  ];
}

function unwantedLines(run: CommandRun, problem: Received<typeof presentProblem>): string[] {
  return [quotePeerText(inOptions(problem)), ...spanLines(run, problem.spans)];
}

function spanLines(run: CommandRun, request: unknown): string[] {
  const spans = spansFromOtlpJson(request).slice(0, MAX_SHOWN);
  return spanTable(spans, run.stderr.columns, paletteOf(run, run.stderr));
}
