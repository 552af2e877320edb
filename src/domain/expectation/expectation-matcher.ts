import { attributeOf } from "../query/attribute-test.ts";
import { compileFilter, type SpanLocation, type SpanMatcher } from "../query/span-matcher.ts";
import { eventTest, linkTest } from "../query/part-test.ts";
import type { EventCondition, LinkCondition, Selector, WrittenCondition } from "./expectation.ts";

/** Compiles a selector. It reads only the fields that its conditions need. */
export function compileSelector({ conditions }: Selector): SpanMatcher {
  const tests = conditions.map(({ test }) => test);
  const base = compileFilter(tests.filter((test) => test.on !== "event" && test.on !== "link"));
  const parts = tests.flatMap((test) =>
    test.on === "event" || test.on === "link" ? [partTest(test)] : [],
  );
  if (parts.length === 0) return base;
  const matches = (location: SpanLocation) =>
    base.matches(location) && parts.every((holds) => holds(location));
  return { ...base, matches };
}

/** Compiles a single condition, to find out which conditions of a selector a span does not meet. */
export function compileCondition(condition: WrittenCondition): SpanMatcher {
  return compileSelector({ conditions: [condition] });
}

/**
 * Returns a matcher for every span, for a pass in which each of these matchers is tried on it: it
 * resets them, and counts the bytes that they search.
 */
export function everySpan(matchers: readonly SpanMatcher[]): SpanMatcher {
  return {
    ...searchedBytesOf(matchers),
    traceTail: undefined,
    reset: resetOf(matchers),
    matches: () => true,
  };
}

/** Returns a matcher that also resets others, which are tried on the spans that it matches. */
export function besides(matcher: SpanMatcher, others: readonly SpanMatcher[]): SpanMatcher {
  const all = [matcher, ...others];
  return { ...matcher, ...searchedBytesOf(all), reset: resetOf(all) };
}

function resetOf(matchers: readonly SpanMatcher[]): () => void {
  return () => {
    for (const matcher of matchers) matcher.reset();
  };
}

function searchedBytesOf(matchers: readonly SpanMatcher[]): Pick<SpanMatcher, "searchedBytes"> {
  const searching = matchers.flatMap(({ searchedBytes }) => searchedBytes ?? []);
  if (searching.length === 0) return {};
  return { searchedBytes: () => searching.reduce((sum, searched) => sum + searched(), 0) };
}

function partTest(condition: EventCondition | LinkCondition): (location: SpanLocation) => boolean {
  const attributes = condition.attributes.map(attributeOf);
  const hasPart =
    condition.on === "event"
      ? eventTest(condition.name, attributes)
      : linkTest(condition.id, attributes);
  return ({ bytes, spanOffset, spanLength }) => hasPart(bytes, spanOffset, spanLength);
}
