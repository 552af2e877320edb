import { withWholeTraceId } from "../api/whole-trace-id.ts";
import { type CommandRun, isGiven, queryOf, valueOf } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { DEFAULT_SPANS } from "../usage/option-table.ts";
import { countText, countedText } from "../output/quantities.ts";
import { answerSpans, type SpanPlan } from "./span-answer.ts";
import { cleared } from "../../api-messages/messages.ts";
import { askForSuccess, messageIn } from "../api/ask-api.ts";
import { writeJson } from "../command/answer-form.ts";

export async function get(run: CommandRun): Promise<ExitCode> {
  const filters = await withWholeTraceId(run, queryOf(run));
  return await answerSpans(run, {
    call: { path: "/api/spans", query: [...filters, ...everySpan(run)] },
    isTree: isGiven(run, "trace-id"),
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: isFiltered(run) ? "no buffered span matches" : "no span is buffered",
    ...defaultLimit(run),
  });
}

/** The maximum limit of the API, which is more than any buffer holds. */
const EVERY_SPAN = 2 ** 31 - 1;

/** Requests all spans for a file, because missing spans would be noticed too late. */
function everySpan(run: CommandRun): [name: string, value: string][] {
  const isWhole = isGiven(run, "out") && !isGiven(run, "limit");
  return isWhole ? [["limit", String(EVERY_SPAN)]] : [];
}

function isFiltered(run: CommandRun): boolean {
  return queryOf(run).some(([name]) => name !== "limit" && name !== "order");
}

function defaultLimit(run: CommandRun): Pick<SpanPlan, "defaultLimit"> {
  if (isGiven(run, "limit") || isGiven(run, "out")) return {};
  const first = valueOf(run, "order") === "newest" ? "newest" : "oldest";
  const these = `these are the ${first} ${countText(DEFAULT_SPANS)} spans, and there may be more`;
  const text = `${these}: set --limit, or save all with --out FILE`;
  return { defaultLimit: { spans: DEFAULT_SPANS, text } };
}

export async function take(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    call: { method: "POST", path: "/api/spans/take", query: queryOf(run), removesSpans: true },
    isTree: false,
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: "the buffer is empty",
  });
}

export async function clear(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { method: "DELETE", path: "/api/spans" });
  const answer = await messageIn(response, cleared);
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, answer);
  else stdout.write(`removed ${countedText(answer.removed, "span")}\n`);
  return EXIT_CODE.ok;
}
