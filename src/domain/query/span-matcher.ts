import { isSame } from "../wire/scalars.ts";
import { serviceName } from "../wire/resource.ts";
import { createSpanFields, readSpanFields, type SpanFields } from "../wire/span-fields.ts";
import { attributeOf } from "./attribute-test.ts";
import { traceKey } from "./filter-key.ts";
import { linkTest } from "./part-test.ts";
import type { SpanCondition, SpanFilter } from "./span-filter.ts";
import {
  hasPattern,
  isFoundIn,
  type SoughtText,
  soughtText,
  type TextPattern,
  textPattern,
} from "./sought-text.ts";
import { maxDurationTest, minDurationTest, sinceTest, untilTest } from "./span-times.ts";
import { resourceHasText, spanHasText, textSearch } from "./text-search.ts";
import {
  NO_SUCH_KEY,
  verdictOfResource,
  verdictOfSpan,
  WANTED_VALUE,
  type WantedAttribute,
} from "./wanted-attribute.ts";

/**
 * Locates a span that the wire walk has accepted: the offsets within `bytes` of the span's body,
 * and of the whole ResourceSpans message around it. One object is reused for all spans.
 */
export interface SpanLocation {
  bytes: Uint8Array;
  spanOffset: number;
  spanLength: number;
  resourceOffset: number;
  resourceLength: number;
  /** The last four bytes of the trace id; see `traceTail`. */
  traceTail: number;
}

export interface SpanMatcher {
  /**
   * The last four bytes, little endian, of the trace id that the filter requires, if it requires
   * one. It allows a cheap first test.
   */
  readonly traceTail: number | undefined;
  /**
   * Marks the tails of several traces, if the matcher requires one of these: 1 at their low 16
   * bits. It allows a cheap first test as well.
   */
  readonly tailMarks?: Uint8Array;
  /**
   * Returns how many bytes have been searched for a text since the last reset; undefined for a
   * filter without a text, which skips most bytes of a span.
   */
  readonly searchedBytes?: () => number;
  /**
   * Forgets cached resources. It is called if the bytes may have changed since the last call, which
   * is each time the lock of the ring has been acquired.
   */
  reset(): void;
  /**
   * Reports whether a span matches. It decodes only the fields that it needs, and allocates
   * nothing.
   */
  matches(location: SpanLocation): boolean;
}

/** Returns the fields of a span, which are valid until the next call. */
export type FieldsOf = (location: SpanLocation) => SpanFields;

type LocationTest = (location: SpanLocation) => boolean;
type FieldTest = (fields: SpanFields) => boolean;

/** The result for a resource, which applies to all of its spans. */
interface ResourceVerdict {
  /** Negative if unknown; offsets are never negative. */
  resourceOffset: number;
  holds: boolean;
}

/** The tests of a filter, by what they read. */
interface Tests {
  readonly resource: LocationTest[];
  readonly field: FieldTest[];
  readonly attribute: LocationTest[];
  readonly verdicts: ResourceVerdict[];
  /** Counts bytes for `searchedBytes`; undefined without a text. */
  searched: { bytes: number } | undefined;
}

/**
 * Compiles a filter for use on many spans. Cheap tests come first: the service, which is known from
 * the previous span; then the fields, read in one pass; then the attributes. Matchers that are
 * tried on the same spans may share that pass.
 */
export function compileFilter(filter: SpanFilter, fieldsOf: FieldsOf = fieldReader()): SpanMatcher {
  const tests: Tests = {
    resource: [],
    field: [],
    attribute: [],
    verdicts: [],
    searched: undefined,
  };
  for (const condition of filter) addTest(tests, condition);
  const fieldsHold = allOf(tests.field);
  if (tests.field.length > 0) tests.resource.push((location) => fieldsHold(fieldsOf(location)));
  const { searched } = tests;
  return {
    traceTail: traceTailOf(filter),
    ...(searched === undefined ? {} : { searchedBytes: () => searched.bytes }),
    reset: () => reset(tests),
    matches: allOf([...tests.resource, ...tests.attribute]),
  };
}

function reset({ verdicts, searched }: Tests): void {
  for (const verdict of verdicts) verdict.resourceOffset = UNKNOWN;
  if (searched !== undefined) searched.bytes = 0;
}

function traceTailOf(filter: SpanFilter): number | undefined {
  const condition = filter.find(({ on }) => on === "trace_id");
  return condition?.on === "trace_id" ? traceKey(condition.value).tail : undefined;
}

function fieldReader(): FieldsOf {
  const fields = createSpanFields();
  return ({ bytes, spanOffset, spanLength }) => {
    readSpanFields(fields, bytes, spanOffset, spanLength);
    return fields;
  };
}

/** Combines tests. Most filters have one condition, which needs no loop. */
function allOf<Subject>(
  tests: readonly ((subject: Subject) => boolean)[],
): (subject: Subject) => boolean {
  const [only] = tests;
  if (only === undefined) return () => true;
  if (tests.length === 1) return only;
  return (subject) => {
    for (let index = 0; index < tests.length; index += 1) {
      if (!tests[index]!(subject)) return false;
    }
    return true;
  };
}

/**
 * Adds the test of a condition. It returns a number only so that a condition without a test does
 * not compile.
 */
function addTest(tests: Tests, condition: SpanCondition): number {
  const { resource, field, attribute } = tests;
  switch (condition.on) {
    case "service":
      return resource.push(serviceTest(tests, condition.value));
    case "name":
      return field.push(nameTest(condition.value));
    case "name_contains":
      return field.push(nameContainsTest(soughtText(condition.value)));
    case "name_matches":
      return field.push(nameMatchesTest(textPattern(condition.value)));
    case "text":
      return attribute.push(textTest(tests, condition.value));
    case "trace_id":
      return field.push(traceIdTest(Uint8Array.fromHex(condition.value)));
    case "span_id":
      return field.push(spanIdTest(Uint8Array.fromHex(condition.value)));
    case "links_to":
      return attribute.push(linksToTest(condition.value));
    case "kind":
      return field.push(({ kind }) => kind === condition.value);
    case "status":
      return field.push(({ statusCode }) => statusCode === condition.value);
    case "min_duration":
      return field.push(minDurationTest(condition.durationNano));
    case "max_duration":
      return field.push(maxDurationTest(condition.durationNano));
    case "since":
      return field.push(sinceTest(condition.unixNano));
    case "until":
      return field.push(untilTest(condition.unixNano));
    case "attribute":
    case "attribute_exists":
    case "attribute_matches":
    case "attribute_number":
      return attribute.push(attributeTest(tests, attributeOf(condition)));
  }
}

/** Compares the name as readers see it, with U+FFFD in place of invalid UTF-8. */
function serviceTest(tests: Tests, wanted: string): LocationTest {
  return perResource(
    tests,
    ({ bytes, resourceOffset, resourceLength }) =>
      serviceName(bytes, resourceOffset, resourceLength) === wanted,
  );
}

/**
 * Tests an attribute. An attribute of the span hides an attribute of its resource with the same
 * key.
 */
function attributeTest(tests: Tests, wanted: WantedAttribute): LocationTest {
  const resourceHasIt = perResource(
    tests,
    ({ bytes, resourceOffset, resourceLength }) =>
      verdictOfResource(wanted, bytes, resourceOffset, resourceLength) === WANTED_VALUE,
  );
  return (location) => {
    const verdict = verdictOfSpan(wanted, location.bytes, location.spanOffset, location.spanLength);
    return verdict === NO_SUCH_KEY ? resourceHasIt(location) : verdict === WANTED_VALUE;
  };
}

function textTest(tests: Tests, value: string): LocationTest {
  const search = textSearch(value);
  const resourceHasIt = perResource(tests, ({ bytes, resourceOffset, resourceLength }) =>
    resourceHasText(search, bytes, resourceOffset, resourceLength),
  );
  const searched = (tests.searched ??= { bytes: 0 });
  return (location) => {
    const { bytes, spanOffset, spanLength } = location;
    if (resourceHasIt(location)) return true;
    searched.bytes += spanLength;
    return spanHasText(search, bytes, spanOffset, spanLength);
  };
}

function linksToTest(id: string): LocationTest {
  const hasLink = linkTest(id, []);
  return ({ bytes, spanOffset, spanLength }) => hasLink(bytes, spanOffset, spanLength);
}

const UNKNOWN = -1;

function perResource(tests: Tests, test: LocationTest): LocationTest {
  const verdict: ResourceVerdict = { resourceOffset: UNKNOWN, holds: false };
  tests.verdicts.push(verdict);
  return (location) => {
    if (location.resourceOffset !== verdict.resourceOffset) {
      verdict.resourceOffset = location.resourceOffset;
      verdict.holds = test(location);
    }
    return verdict.holds;
  };
}

function nameTest(value: string): FieldTest {
  const name = new TextEncoder().encode(value);
  return ({ bytes, nameStart, nameEnd }) => isSame(bytes, nameStart, nameEnd, name);
}

function nameContainsTest(sought: SoughtText): FieldTest {
  return ({ bytes, nameStart, nameEnd }) => isFoundIn(sought, bytes, nameStart, nameEnd);
}

function nameMatchesTest(pattern: TextPattern): FieldTest {
  return ({ bytes, nameStart, nameEnd }) => hasPattern(pattern, bytes, nameStart, nameEnd);
}

function traceIdTest(id: Uint8Array): FieldTest {
  return ({ bytes, traceIdAt }) => isSame(bytes, traceIdAt, traceIdAt + id.length, id);
}

function spanIdTest(id: Uint8Array): FieldTest {
  return ({ bytes, spanIdAt }) => isSame(bytes, spanIdAt, spanIdAt + id.length, id);
}
