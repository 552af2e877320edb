import { services as servicesMessage } from "../../api-messages/messages.ts";
import { operations as operationsMessage } from "../../api-messages/summaries.ts";
import { askForSuccess, messageIn } from "../api/ask-api.ts";
import { withWholeTraceId } from "../api/whole-trace-id.ts";
import { writeJson } from "../command/answer-form.ts";
import { type CommandRun, isGiven, paletteOf, queryOf, report } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import type { Palette } from "../output/palette.ts";
import { countedText } from "../output/quantities.ts";
import { operationsTable, servicesTable } from "../render/service-tables.ts";

export async function services(run: CommandRun): Promise<ExitCode> {
  const response = await askForSuccess(run, { path: "/api/services" });
  const answer = await messageIn(response, servicesMessage);
  return list(run, answer, { items: answer.services, table: servicesTable, none: NO_SERVICE });
}

const NO_SERVICE = "no service has sent a span";

export async function operations(run: CommandRun): Promise<ExitCode> {
  const query = await withWholeTraceId(run, queryOf(run));
  const response = await askForSuccess(run, { path: "/api/operations", query });
  const answer = await messageIn(response, operationsMessage);
  const exitCode = list(run, answer, {
    items: answer.operations,
    table: operationsTable,
    none: "no buffered span matches",
  });
  if (answer.otherSpans > 0) report(run, othersText(answer.otherSpans));
  return exitCode;
}

function othersText(spans: number): string {
  return `${countedText(spans, "span")} of further operations are not listed; use a filter`;
}

interface Listing<Item> {
  readonly items: readonly Item[];
  readonly table: (items: readonly Item[], columns: number, palette: Palette) => string[];
  /** The message for an empty list. */
  readonly none: string;
}

/** Prints a table on a terminal, a line of JSON for each item in a pipe. */
function list<Item>(
  run: CommandRun,
  answer: unknown,
  { items, table, none }: Listing<Item>,
): ExitCode {
  const { stdout } = run;
  if (isGiven(run, "json")) writeJson(run, answer);
  else if (!stdout.isTerminal) items.every((item) => writeJson(run, item));
  else if (items.length > 0) {
    stdout.write(`${table(items, stdout.columns, paletteOf(run, stdout)).join("\n")}\n`);
  }
  if (items.length > 0) return EXIT_CODE.ok;
  report(run, none);
  return EXIT_CODE.notFound;
}
