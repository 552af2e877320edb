import { withWholeTraceId } from "../api/whole-trace-id.ts";
import { type CommandRun, isGiven, queryOf, valueOf } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { USUAL_SPANS } from "../usage/option-table.ts";
import { countText } from "../output/quantities.ts";
import { answerSpans, type SpanPlan } from "./span-answer.ts";

export async function get(run: CommandRun): Promise<ExitCode> {
  const filters = await withWholeTraceId(run, queryOf(run));
  return await answerSpans(run, {
    question: { path: "/api/spans", query: [...filters, ...everySpan(run)] },
    isTree: isGiven(run, "trace-id"),
    exitCodeWhenEmpty: EXIT_CODE.notFound,
    emptyText: isFiltered(run) ? "no buffered span matches" : "no span is buffered",
    ...unaskedLimit(run),
  });
}

/** More than any ring holds, and the most that the API takes. */
const EVERY_SPAN = 2 ** 31 - 1;

/** A file is for keeping: what is not in it would be missed only later. */
function everySpan(run: CommandRun): [name: string, value: string][] {
  const isWhole = isGiven(run, "out") && !isGiven(run, "limit");
  return isWhole ? [["limit", String(EVERY_SPAN)]] : [];
}

function isFiltered(run: CommandRun): boolean {
  return queryOf(run).some(([name]) => name !== "limit" && name !== "order");
}

function unaskedLimit(run: CommandRun): Pick<SpanPlan, "unaskedLimit"> {
  if (isGiven(run, "limit") || isGiven(run, "out")) return {};
  const first = valueOf(run, "order") === "newest" ? "newest" : "oldest";
  const these = `these are the ${first} ${countText(USUAL_SPANS)} spans, and there may be more`;
  const text = `${these}: say how many with --limit, or save all with --out FILE`;
  return { unaskedLimit: { spans: USUAL_SPANS, text } };
}
