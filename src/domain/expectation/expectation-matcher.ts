import { attributeOf } from "../query/attribute-test.ts";
import { compileFilter, type SpanLocation, type SpanMatcher } from "../query/span-matcher.ts";
import { hasPattern, textPattern } from "../query/sought-text.ts";
import {
  OTHER_VALUE,
  verdictOfAttribute,
  WANTED_VALUE,
  type WantedAttribute,
} from "../query/wanted-attribute.ts";
import { type FieldScan, nextField, point, scanFrom } from "../wire/field-scan.ts";
import {
  EVENT_ATTRIBUTES_FIELD,
  EVENT_NAME_FIELD,
  EVENTS_FIELD,
  LINK_ATTRIBUTES_FIELD,
  LINK_SPAN_ID_FIELD,
  LINK_TRACE_ID_FIELD,
  LINKS_FIELD,
} from "../wire/otlp-tags.ts";
import { isSame } from "../wire/scalars.ts";
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

/** Says how to test the events or the links of a span. */
interface PartTest {
  readonly field: number;
  readonly attributesField: number;
  readonly attributes: readonly WantedAttribute[];
  /** Tests the field that identifies the part; undefined if any will do. */
  readonly head: { readonly field: number; readonly holds: FieldTest } | undefined;
  readonly scan: FieldScan;
}

type FieldTest = (field: FieldScan) => boolean;

function partTest(condition: EventCondition | LinkCondition): (location: SpanLocation) => boolean {
  const isEvent = condition.on === "event";
  const part: PartTest = {
    field: isEvent ? EVENTS_FIELD : LINKS_FIELD,
    attributesField: isEvent ? EVENT_ATTRIBUTES_FIELD : LINK_ATTRIBUTES_FIELD,
    attributes: condition.attributes.map(attributeOf),
    head: isEvent ? eventHead(condition) : linkHead(condition),
    scan: scanFrom(new Uint8Array(0), 0, 0),
  };
  const span = scanFrom(new Uint8Array(0), 0, 0);
  return ({ bytes, spanOffset, spanLength }) => {
    point(span, bytes, spanOffset, spanOffset + spanLength);
    while (nextField(span)) {
      if (span.fieldNumber === part.field && holdsFor(part, span)) return true;
    }
    return false;
  };
}

function eventHead({ name }: EventCondition): PartTest["head"] {
  if (name === undefined) return undefined;
  const pattern = textPattern(name.text);
  const wanted = new TextEncoder().encode(name.text);
  const holds: FieldTest = name.isPattern
    ? ({ bytes, valueAt, at }) => hasPattern(pattern, bytes, valueAt, at)
    : ({ bytes, valueAt, at }) => isSame(bytes, valueAt, at, wanted);
  return { field: EVENT_NAME_FIELD, holds };
}

const TRACE_ID_DIGITS = 32;

function linkHead({ id }: LinkCondition): PartTest["head"] {
  if (id === undefined) return undefined;
  const wanted = Uint8Array.fromHex(id);
  return {
    field: id.length === TRACE_ID_DIGITS ? LINK_TRACE_ID_FIELD : LINK_SPAN_ID_FIELD,
    holds: ({ bytes, valueAt, at }) => isSame(bytes, valueAt, at, wanted),
  };
}

/** Tests the event or the link in this field of a span. The last of several names counts. */
function holdsFor({ attributesField, attributes, head, scan }: PartTest, field: FieldScan) {
  let isHead = head === undefined;
  if (head !== undefined) {
    point(scan, field.bytes, field.valueAt, field.at);
    while (nextField(scan)) {
      if (scan.fieldNumber === head.field) isHead = head.holds(scan);
    }
  }
  return isHead && attributes.every((wanted) => hasAttribute(wanted, scan, field, attributesField));
}

function hasAttribute(
  wanted: WantedAttribute,
  scan: FieldScan,
  { bytes, valueAt, at }: FieldScan,
  attributesField: number,
): boolean {
  point(scan, bytes, valueAt, at);
  let verdict = OTHER_VALUE;
  while (verdict !== WANTED_VALUE && nextField(scan)) {
    if (scan.fieldNumber !== attributesField) continue;
    verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, scan.valueAt, scan.at));
  }
  return verdict === WANTED_VALUE;
}
