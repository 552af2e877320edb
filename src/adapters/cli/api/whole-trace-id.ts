import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, tell } from "../command-run.ts";
import { EXIT_CODE } from "../exit-code.ts";
import { countedText, countText } from "../render/quantities.ts";
import { peerText } from "../render/text-columns.ts";
import { askForSuccess } from "./ask-api.ts";

/** Fewer digits begin too many traces; all of them need no looking up. */
const BEGINNING = /^[0-9a-f]{4,31}$/;
const TOO_SHORT = /^[0-9a-f]{1,3}$/;

/** As many as the read API lists; the newest come first. */
const MOST_TRACES = 10_000;
const MOST_SHOWN = 10;
const WHOLE_DIGITS = 32;

/**
 * The identifier of the one buffered trace that begins so: tables show only the first digits where
 * there is no room for all. What can be no beginning is given back as it is, for the API to judge.
 */
export async function wholeTraceId(run: CommandRun, text: string): Promise<string> {
  const beginning = text.toLowerCase();
  if (TOO_SHORT.test(beginning)) throw tooShort(text);
  if (!BEGINNING.test(beginning)) return text;
  const query = [["limit", String(MOST_TRACES)]] as const;
  const response = await askForSuccess(run, { path: "/api/traces", query });
  const traceIds = traceIdsIn(await response.json().catch(() => undefined));
  const [found, ...others] = traceIds.filter((traceId) => traceId.startsWith(beginning));
  if (found === undefined) throw notFound(beginning, traceIds.length);
  if (others.length > 0) throw ambiguous(beginning, [found, ...others]);
  if (traceIds.length >= MOST_TRACES) tell(run, mayBeOlder(beginning));
  return found;
}

/** The same for the parameters of a question. */
export async function withWholeTraceId(
  run: CommandRun,
  query: readonly [name: string, value: string][],
): Promise<[name: string, value: string][]> {
  return await Promise.all(
    query.map(async ([name, value]): Promise<[string, string]> => [
      name,
      name === "trace_id" ? await wholeTraceId(run, value) : value,
    ]),
  );
}

function traceIdsIn(answer: unknown): string[] {
  const list = (answer as { traces?: unknown } | null | undefined)?.traces;
  if (!Array.isArray(list)) return [];
  return list.map((trace: { traceId?: unknown } | null) => String(trace?.traceId));
}

function tooShort(text: string): CommandFailure {
  const bound = `give at least 4 of its ${WHOLE_DIGITS} hex digits`;
  return new CommandFailure(EXIT_CODE.badUsage, `the trace id "${text}" is too short; ${bound}`);
}

function mayBeOlder(beginning: string): string {
  const looked = `only the newest ${countText(MOST_TRACES)} traces were looked through`;
  return `${looked}; an older one may begin with ${beginning} too`;
}

function notFound(beginning: string, traceCount: number): CommandFailure {
  const traces = traceCount < MOST_TRACES ? "buffered traces" : `newest ${countText(traceCount)}`;
  return new CommandFailure(EXIT_CODE.notFound, `none of the ${traces} begins with ${beginning}`);
}

function ambiguous(beginning: string, traceIds: readonly string[]): CommandFailure {
  const shown = traceIds.slice(0, MOST_SHOWN).map((id) => `  ${peerText(id, WHOLE_DIGITS)}`);
  const more = traceIds.length > MOST_SHOWN ? ["  and more"] : [];
  const count = countedText(traceIds.length, "trace");
  const lines = [`${count} begin with ${beginning}; give more digits`, ...shown, ...more];
  return new CommandFailure(EXIT_CODE.badUsage, lines.join("\n"));
}
