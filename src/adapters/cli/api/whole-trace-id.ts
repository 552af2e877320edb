import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { traces as tracesMessage } from "../../api-messages/summaries.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { countedText, countText } from "../output/quantities.ts";
import { askForSuccess, messageIn } from "./ask-api.ts";

/** Matches 4 to 32 digits; fewer would match too many traces. */
const BEGINNING = /^[0-9a-f]{4,32}$/;

/** The number of traces that the read API lists at most, newest first. */
const MAX_TRACES = 10_000;
const MAX_SHOWN = 10;
const WHOLE_DIGITS = 32;

/**
 * Returns the identifier of the one buffered trace that begins with the text: narrow tables show
 * only the first digits. A whole identifier is not looked up. `name` is the operand or option to
 * mention in messages.
 */
export async function wholeTraceId(run: CommandRun, name: string, text: string): Promise<string> {
  const beginning = text.toLowerCase();
  if (!BEGINNING.test(beginning)) throw noBeginning(name, text);
  if (beginning.length === WHOLE_DIGITS) return beginning;
  const query = [["limit", String(MAX_TRACES)]] as const;
  const response = await askForSuccess(run, { path: "/api/traces", query });
  const { traces } = await messageIn(response, tracesMessage);
  const traceIds = traces.map(({ traceId }) => traceId);
  const [found, ...others] = traceIds.filter((traceId) => traceId.startsWith(beginning));
  if (found === undefined) throw notFound(beginning, traceIds.length);
  if (others.length > 0) throw ambiguous(beginning, [found, ...others]);
  if (traceIds.length >= MAX_TRACES) report(run, mayBeOlder(beginning));
  return found;
}

/** Completes `trace_id` among the parameters of a query. */
export async function withWholeTraceId(
  run: CommandRun,
  query: readonly [name: string, value: string][],
): Promise<[name: string, value: string][]> {
  return await Promise.all(
    query.map(async ([name, value]): Promise<[string, string]> => [
      name,
      name === "trace_id" ? await wholeTraceId(run, "--trace-id", value) : value,
    ]),
  );
}

function noBeginning(name: string, text: string): CommandFailure {
  const bound = `it must be ${WHOLE_DIGITS} hex digits, or the first 4 or more`;
  return new CommandFailure(EXIT_CODE.badUsage, `${name} is "${quotePeerText(text)}"; ${bound}`);
}

function mayBeOlder(beginning: string): string {
  const looked = `only the newest ${countText(MAX_TRACES)} traces were searched`;
  return `${looked}; an older one may begin with ${beginning} too`;
}

function notFound(beginning: string, traceCount: number): CommandFailure {
  const traces = traceCount < MAX_TRACES ? "buffered traces" : `newest ${countText(traceCount)}`;
  return new CommandFailure(EXIT_CODE.notFound, `none of the ${traces} begins with ${beginning}`);
}

function ambiguous(beginning: string, traceIds: readonly string[]): CommandFailure {
  const shown = traceIds.slice(0, MAX_SHOWN).map((id) => `  ${id}`);
  const more = traceIds.length > MAX_SHOWN ? ["  and more"] : [];
  const count = countedText(traceIds.length, "trace");
  const lines = [`${count} begin with ${beginning}; give more digits`, ...shown, ...more];
  return new CommandFailure(EXIT_CODE.badUsage, lines.join("\n"));
}
