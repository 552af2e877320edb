import {
  CONDITION_NAMES,
  isRepeatable,
  readCondition,
  type SpanCondition,
} from "../../domain/query/span-filter.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { Parameter, Parameters } from "./parameter.ts";
import type { Problem } from "./problem.ts";
import { type Cursor, cursorText } from "../../domain/cursor.ts";
import type { SequenceSource } from "../../ports/trace-buffer.ts";
import { rangeHeaders, rangeMember } from "./span-answer.ts";

/** Lists the parameters of a route. */
export interface KnownParameters {
  readonly pathParameters: Parameters;
  readonly queryParameters: Parameters;
  readonly takesFilter: boolean;
}

/** Holds names and texts as written, in that order. */
export interface GivenParameters {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export interface ReadParameters {
  readonly values: Readonly<Record<string, unknown>>;
  readonly filter: readonly SpanCondition[];
  /** The last condition as written: `name=value`. */
  readonly lastCondition: string | undefined;
}

/** Returns the values of all parameters, or the first mistake in them. */
export function readParameters(
  known: KnownParameters,
  given: GivenParameters,
  nowUnixNano: bigint,
): ReadParameters | Problem {
  const parameters = { ...known.pathParameters, ...known.queryParameters };
  const mistake = checkNames(given.query, namesOf(known));
  if (mistake !== undefined) return mistake;
  const values = unsetValues(parameters);
  const filter: SpanCondition[] = [];
  let lastCondition: string | undefined;
  for (const [name, text] of [...Object.entries(given.path), ...given.query]) {
    const parameter = parameters[name];
    if (parameter === undefined) {
      const condition = readCondition(name, text, nowUnixNano);
      if ("mistake" in condition) return badParameter(name, condition.mistake);
      filter.push(condition);
      lastCondition = `${name}=${text}`;
      continue;
    }
    const value = parameter.read(text);
    if (value === undefined) return badParameter(name, mistakeIn(name, text, parameter));
    values[name] = value;
  }
  return { values, filter, lastCondition };
}

/** Returns the names that the query may have. */
export function namesOf({ queryParameters, takesFilter }: KnownParameters): string[] {
  return [...(takesFilter ? CONDITION_NAMES : []), ...Object.keys(queryParameters)];
}

export function badParameter(parameter: string, detail: string): Problem {
  return { status: 400, parameter, detail };
}

function unsetValues(parameters: Parameters): Record<string, unknown> {
  const entries = Object.entries(parameters).map(([name, { unset }]) => [name, unset] as const);
  return Object.fromEntries(entries);
}

function mistakeIn(name: string, text: string, { bound }: Parameter<unknown>): string {
  return `${name} is "${quotePeerText(text)}"; it must be ${bound}`;
}

/** Checks that each parameter is known, and is given once unless it is repeatable. */
function checkNames(query: URLSearchParams, known: readonly string[]): Problem | undefined {
  const names = [...query.keys()];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return unknownParameter(unknown, known);
  const repeated = names.find((name, index) => !isRepeatable(name) && names.indexOf(name) < index);
  if (repeated === undefined) return undefined;
  return badParameter(repeated, `${repeated} is given more than once`);
}

function unknownParameter(name: string, known: readonly string[]): Problem {
  const parameter = quotePeerText(name);
  const choice = known.length === 0 ? "this path has no parameters" : `known: ${known.join(", ")}`;
  return badParameter(parameter, `unknown parameter "${parameter}"; ${choice}`);
}

/**
 * Returns a problem if the cursor belongs to another run or is beyond the newest span. Without this
 * check, its reader might wait endlessly, or skip spans.
 */
export function goneCursor(
  { buffer, runId }: { readonly buffer: SequenceSource; readonly runId: string },
  cursor: Cursor,
  parameter: string,
): Problem | undefined {
  const range = buffer.range();
  const newest = range.next - 1;
  const isOfThisRun = cursor.runId === undefined || cursor.runId === runId;
  if (isOfThisRun && cursor.sequence <= newest) return undefined;
  const why = isOfThisRun
    ? `but the newest span of this run, ${runId}, is number ${newest}: was spanring restarted?`
    : `a position in another run of spanring; this run, ${runId}, numbers its spans from 1.`;
  return {
    status: 410,
    parameter,
    detail: `${parameter} is "${textOf(cursor)}", ${why} Start again with after=0`,
    members: { sequence: rangeMember(runId, range) },
    headers: rangeHeaders(range),
  };
}

function textOf({ runId, sequence }: Cursor): string {
  return runId === undefined ? String(sequence) : cursorText(runId, sequence);
}
