import { quotePeerText } from "../text/quote-text.ts";
import {
  CONDITION_NAMES,
  isConditionName,
  isRepeatable,
  readCondition,
  type SpanCondition,
  type SpanFilter,
  unknownCondition,
} from "./span-filter.ts";

/** The spans that a run must emit: a filter and a number of matching spans. */
export interface Expectation {
  /** The expectation as written. */
  readonly text: string;
  readonly filter: SpanFilter;
  /** The last condition of the filter, as written. */
  readonly lastCondition: string | undefined;
  readonly count: CountCondition;
}

export interface CountCondition {
  readonly comparison: Comparison;
  readonly count: number;
}

const COMPARISONS = [">=", "<=", "=", ">", "<"] as const;
type Comparison = (typeof COMPARISONS)[number];

/** The mistakes in an expectation, one sentence each. */
export interface ExpectationMistakes {
  readonly mistakes: readonly string[];
}

const AT_LEAST_ONE: CountCondition = { comparison: ">=", count: 1 };

/** Matches an `&` between spaces; one within a word or after a backslash belongs to a value. */
const AND = /(?<=^|\s)&(?=\s|$)/;

/**
 * Parses `name=GET / & service=shop & count>=2`: conditions of the read API, joined by ` & `, and
 * the number of spans, by default `count>=1`. In a value, `\&` means `&`.
 */
export function readExpectation(
  text: string,
  nowUnixNano: bigint,
): Expectation | ExpectationMistakes {
  const parts = text.split(AND).map((part) => part.replaceAll("\\&", "&").trim());
  const counts = parts.filter(isCount);
  const conditions = parts.filter((part) => !isCount(part));
  const read = conditions.map((part) => conditionOf(part, nowUnixNano));
  const mistakes = read.flatMap((each) => ("mistake" in each ? [each.mistake] : []));
  const [countText] = counts;
  const count = countText === undefined ? AT_LEAST_ONE : countOf(countText);
  const countMistake = mistakeIn(count);
  if (countMistake !== undefined) {
    mistakes.push(`"${quotePeerText(countText ?? "")}" ${countMistake}`);
  }
  const filter = read.flatMap((each) => ("mistake" in each ? [] : [each]));
  mistakes.push(...repetitions([...filter.map(({ on }) => on), ...counts.map(() => "count")]));
  if (mistakes.length > 0 || count === undefined) return { mistakes };
  return { text, filter, lastCondition: conditions.at(-1), count };
}

/** Reports whether the number of spans found meets the expectation. */
export function isAsExpected({ comparison, count }: CountCondition, found: number): boolean {
  switch (comparison) {
    case ">=":
      return found >= count;
    case "<=":
      return found <= count;
    case "=":
      return found === count;
    case ">":
      return found > count;
    case "<":
      return found < count;
  }
}

/** Returns the number of spans to wait for. */
export function minCount({ comparison, count }: CountCondition): number {
  if (comparison === ">") return count + 1;
  return comparison === ">=" || comparison === "=" ? count : 0;
}

/** Reports whether the number of spans has a maximum. If so, a span lost unseen may matter. */
export function hasMaximum({ comparison }: CountCondition): boolean {
  return comparison === "=" || comparison === "<=" || comparison === "<";
}

function isCount(part: string): boolean {
  return /^count\s*[<>=]/.test(part);
}

const COUNT_BOUND = "must be count with >=, =, <=, < or > and a whole number, such as count>=2";

function countOf(text: string): CountCondition | undefined {
  const [, sign, digits] = /^count\s*(>=|<=|=|>|<)\s*(\d{1,9})$/.exec(text) ?? [];
  const comparison = COMPARISONS.find((known) => known === sign);
  return comparison === undefined ? undefined : { comparison, count: Number(digits) };
}

/**
 * Returns the mistake in a count that is always or never met: a test with it would pass or fail for
 * no good reason.
 */
function mistakeIn(count: CountCondition | undefined): string | undefined {
  if (count === undefined) return COUNT_BOUND;
  if (count.count > 0) return undefined;
  if (count.comparison === "<") return "can never be met";
  return count.comparison === ">=" ? "is always met; to expect no span, use count=0" : undefined;
}

/** Returns a mistake for each repetition that no span can match: count=0 would always be met. */
function repetitions(names: readonly string[]): string[] {
  const repeated = names.filter((name, at) => !isRepeatable(name) && names.indexOf(name) < at);
  return [...new Set(repeated)].map((name) => `${name} is given more than once`);
}

function conditionOf(
  part: string,
  nowUnixNano: bigint,
): SpanCondition | { readonly mistake: string } {
  const at = part.indexOf("=");
  const name = part.slice(0, Math.max(at, 0)).trim();
  if (name === "") {
    return { mistake: `"${quotePeerText(part)}" must be name=value, such as service=shop` };
  }
  if (!isConditionName(name)) return unknownCondition(name, [...CONDITION_NAMES, "count"]);
  return readCondition(name, part.slice(at + 1), nowUnixNano);
}
