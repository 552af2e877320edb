import { answerForm, usageFailure, writeJson } from "../command/answer-form.ts";
import { askForSuccess, failureOf, messageIn } from "../api/ask-api.ts";
import { wholeTraceId, withWholeTraceId } from "../api/whole-trace-id.ts";
import { traces as tracesMessage } from "../../api-messages/summaries.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, paletteOf, queryOf, report } from "../command/command-run.ts";
import { DEFAULT_TRACES } from "../usage/option-table.ts";
import { traceRows, type TraceSummary } from "../render/trace-rows.ts";
import { showTrees } from "./show-spans.ts";
import { answerSpans } from "./span-answer.ts";

export async function traces(run: CommandRun): Promise<ExitCode> {
  const [traceId] = run.operands;
  return traceId === undefined ? await listTraces(run) : await showTrace(run, traceId);
}

async function showTrace(run: CommandRun, traceId: string): Promise<ExitCode> {
  const [filter] = queryOf(run);
  if (filter !== undefined) throw usageFailure("TRACE_ID cannot be combined with filters");
  const wholeId = await wholeTraceId(run, "TRACE_ID", traceId);
  return await answerSpans(run, {
    call: { path: `/api/traces/${encodeURIComponent(wholeId)}` },
    show: showTrees({ areAttributesShown: isGiven(run, "attributes") }),
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: "no span of this trace is buffered",
    asFailure: (response) => failureOf(response, EXIT_CODE.notFound),
  });
}

async function listTraces(run: CommandRun): Promise<ExitCode> {
  if (isGiven(run, "attributes")) throw usageFailure("--attributes needs a TRACE_ID");
  const { kind } = answerForm(run);
  if (kind === "otlp" || kind === "file") {
    throw usageFailure("a list of traces is not OTLP: give a TRACE_ID, or use spanring get");
  }
  const query = await withWholeTraceId(run, queryOf(run));
  const response = await askForSuccess(run, { path: "/api/traces", query });
  const answer = await messageIn(response, tracesMessage);
  const { traces: summaries } = answer;
  if (kind === "json") writeJson(run, answer);
  else if (kind === "ndjson") summaries.every((summary) => writeJson(run, summary));
  else showList(run, summaries);
  if (!isGiven(run, "limit") && summaries.length >= DEFAULT_TRACES) report(run, MORE_TRACES);
  if (summaries.length > 0) return EXIT_CODE.ok;
  report(run, "no buffered trace matches");
  return EXIT_CODE.notFound;
}

const MORE_TRACES = [
  `these are ${DEFAULT_TRACES} traces, and there may be more`,
  "set --limit",
].join(": ");

function showList(run: CommandRun, summaries: readonly TraceSummary[]): void {
  const { stdout } = run;
  if (summaries.length === 0) return;
  const rows = traceRows(summaries, stdout.columns, paletteOf(run, stdout));
  stdout.write(`${rows.join("\n")}\n`);
}
