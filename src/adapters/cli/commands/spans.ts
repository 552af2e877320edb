import { withWholeTraceId } from "../api/whole-trace-id.ts";
import { type CommandRun, isGiven, queryOf, valueOf } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { DEFAULT_SPANS } from "../usage/option-table.ts";
import { countText, countedText } from "../output/quantities.ts";
import { showRows, showTrees, showWhole } from "./show-spans.ts";
import { answerSpans, type ShowSpans, type SpanPlan } from "./span-answer.ts";
import { cleared } from "../../api-messages/messages.ts";
import { askForSuccess, messageIn } from "../api/ask-api.ts";
import { usageFailure, writeJson } from "../command/answer-form.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";

export async function get(run: CommandRun): Promise<ExitCode> {
  const filters = await withWholeTraceId(run, queryOf(run));
  return await answerSpans(run, {
    call: { path: "/api/spans", query: [...filters, ...newestFirst(run), ...everySpan(run)] },
    show: viewOf(run),
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: isFiltered(run) ? "no buffered span matches" : "no span is buffered",
    ...defaultLimit(run),
  });
}

/** Shows a span as a whole, a trace as a tree, and other spans as rows. */
function viewOf(run: CommandRun): ShowSpans {
  if (isGiven(run, "span-id")) return showWhole;
  if (!isGiven(run, "trace-id")) return showRows;
  return showTrees({ isFiltered: queryOf(run).some(([name]) => name !== "trace_id") });
}

/** Shows one span. Other traces may have a span with the same id, though hardly ever do. */
export async function span(run: CommandRun): Promise<ExitCode> {
  const [spanId = ""] = run.operands;
  if (!/^[\da-f]{16}$/i.test(spanId)) {
    throw usageFailure(`SPAN_ID is "${quotePeerText(spanId)}"; it must be 16 hex digits`);
  }
  return await answerSpans(run, {
    call: { path: "/api/spans", query: [["span_id", spanId]] },
    show: showWhole,
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: "no buffered span has this id",
  });
}

/**
 * Requests the newest spans, unless the order is given or follows from the purpose: a cursor goes
 * forward, and a whole file begins with the oldest.
 */
function newestFirst(run: CommandRun): [name: string, value: string][] {
  return isOldestFirst(run) || isGiven(run, "order") ? [] : [["order", "newest"]];
}

function isOldestFirst(run: CommandRun): boolean {
  if (isGiven(run, "order")) return valueOf(run, "order") === "oldest";
  return isGiven(run, "after") || (isGiven(run, "out") && !isGiven(run, "limit"));
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
  const first = isOldestFirst(run) ? "oldest" : "newest";
  const these = `these are the ${first} ${countText(DEFAULT_SPANS)} spans, and there may be more`;
  const text = `${these}: set --limit, or save all with --out FILE`;
  return { defaultLimit: { spans: DEFAULT_SPANS, text } };
}

export async function take(run: CommandRun): Promise<ExitCode> {
  return await answerSpans(run, {
    call: { method: "POST", path: "/api/spans/take", query: queryOf(run), removesSpans: true },
    show: showRows,
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
