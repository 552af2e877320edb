import { quotePeerText } from "../text/quote-text.ts";
import type { CountRange } from "./expectation.ts";

/** The number of spans unless it is given. */
export const AT_LEAST_ONE: CountRange = { min: 1, max: Infinity };

export const NONE: CountRange = { min: 0, max: 0 };

const BOUND =
  "must be count with >=, =, <=, < or > and a whole number, such as count>=2, " +
  "or a range, such as count=2..5";

const COUNT = /^count\s*(?<sign>>=|<=|=|>|<)\s*(?<digits>\d{1,9})(?:\.\.(?<last>\d{1,9}))?$/;

/** Reports whether a part of an expectation is a count. */
export function isCount(part: string): boolean {
  return /^count\s*[<>=]/.test(part);
}

/**
 * Parses `count>=2`, or `count=2..5` for both ends. A count that is always or never met is a
 * mistake, because a test with it would pass or fail for no good reason. With `mayBeNone`,
 * `count>=0` is allowed: the expectation then says more than the count.
 */
export function readCount(
  part: string,
  mayBeNone: boolean,
): CountRange | { readonly mistake: string } {
  const { sign, digits, last } = COUNT.exec(part)?.groups ?? {};
  const isRange = last !== undefined;
  if (sign === undefined || (isRange && sign !== "=")) return mistaken(part, BOUND);
  const range = rangeOf(sign, Number(digits), isRange ? Number(last) : undefined);
  if (range.max < range.min) return mistaken(part, "can never be met");
  const isAlways = range.min === 0 && range.max === Infinity && !mayBeNone;
  return isAlways ? mistaken(part, "is always met; to expect no span, use count=0") : range;
}

export function isWithin({ min, max }: CountRange, count: number): boolean {
  return count >= min && count <= max;
}

function rangeOf(sign: string, count: number, last = count): CountRange {
  switch (sign) {
    case ">=":
      return { min: count, max: Infinity };
    case ">":
      return { min: count + 1, max: Infinity };
    case "<=":
      return { min: 0, max: count };
    case "<":
      return { min: 0, max: count - 1 };
    default:
      return { min: count, max: last };
  }
}

function mistaken(part: string, mistake: string) {
  return { mistake: `"${quotePeerText(part)}" ${mistake}` };
}
