import { quotePeerText } from "../../domain/quote-text.ts";
import type { Problem } from "./problem.ts";

export const DEFAULT_LIMIT = 1000;
export const MAX_LIMIT = 2 ** 31 - 1;

/** What is wrong with the names of the parameters, if anything: each known, and given once. */
export function checkParameterNames(
  query: URLSearchParams,
  known: readonly string[],
): Problem | undefined {
  const names = [...query.keys()];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return unknownParameter(unknown, known);
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated === undefined) return undefined;
  return { status: 400, parameter: repeated, detail: `${repeated} is given more than once` };
}

function unknownParameter(name: string, known: readonly string[]): Problem {
  const parameter = quotePeerText(name);
  const choice = known.length === 0 ? "this path takes none" : `known is ${known.join(", ")}`;
  return { status: 400, parameter, detail: `there is no parameter "${parameter}"; ${choice}` };
}

/** How many spans at most: a whole number from 1 to 2^31 - 1, and 1000 when it is not given. */
export function readLimit(query: URLSearchParams): number | Problem {
  const text = query.get("limit");
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (/^[1-9]\d{0,9}$/.test(text) && limit <= MAX_LIMIT) return limit;
  return {
    status: 400,
    parameter: "limit",
    detail: `limit is "${quotePeerText(text)}"; it must be a whole number from 1 to ${MAX_LIMIT}`,
  };
}
