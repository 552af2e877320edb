import { type Halves, halvesOf, isSame, uint32At } from "../wire/scalars.ts";
import { serviceName } from "../wire/resource.ts";
import { ABSENT, createSpanFields, readSpanFields, type SpanFields } from "../wire/span-fields.ts";
import { traceKey } from "./filter-key.ts";
import type { SpanCondition, SpanFilter } from "./span-filter.ts";
import {
  NO_SUCH_KEY,
  verdictOfResource,
  verdictOfSpan,
  WANTED_VALUE,
  wantedAttribute,
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
}

/**
 * Compiles a filter for use on many spans. Cheap tests come first: the service, which is known from
 * the previous span; then the fields, read in one pass; then the attributes. Matchers that are
 * tried on the same spans may share that pass.
 */
export function compileFilter(filter: SpanFilter, fieldsOf: FieldsOf = fieldReader()): SpanMatcher {
  const tests: Tests = { resource: [], field: [], attribute: [], verdicts: [] };
  for (const condition of filter) addTest(tests, condition);
  const fieldsHold = allOf(tests.field);
  if (tests.field.length > 0) tests.resource.push((location) => fieldsHold(fieldsOf(location)));
  return {
    traceTail: traceTailOf(filter),
    reset: () => tests.verdicts.forEach((verdict) => (verdict.resourceOffset = UNKNOWN)),
    matches: allOf([...tests.resource, ...tests.attribute]),
  };
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
    case "trace_id":
      return field.push(traceIdTest(Uint8Array.fromHex(condition.value)));
    case "span_id":
      return field.push(spanIdTest(Uint8Array.fromHex(condition.value)));
    case "kind":
      return field.push(({ kind }) => kind === condition.value);
    case "status":
      return field.push(({ statusCode }) => statusCode === condition.value);
    case "min_duration":
      return field.push(minDurationTest(halvesOf(condition.durationNano)));
    case "since":
      return field.push(sinceTest(halvesOf(condition.unixNano)));
    case "until":
      return field.push(untilTest(halvesOf(condition.unixNano)));
    case "attribute":
      return attribute.push(attributeTest(tests, condition.key, condition.value));
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
function attributeTest(tests: Tests, key: string, value: string): LocationTest {
  const wanted = wantedAttribute(key, value);
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

function traceIdTest(id: Uint8Array): FieldTest {
  return ({ bytes, traceIdAt }) => isSame(bytes, traceIdAt, traceIdAt + id.length, id);
}

function spanIdTest(id: Uint8Array): FieldTest {
  return ({ bytes, spanIdAt }) => isSame(bytes, spanIdAt, spanIdAt + id.length, id);
}

function sinceTest(limit: Halves): FieldTest {
  return (fields) => isSet(fields.bytes, fields.startTimeAt) && !startsBefore(fields, limit);
}

function untilTest(limit: Halves): FieldTest {
  return (fields) => isSet(fields.bytes, fields.startTimeAt) && startsBefore(fields, limit);
}

function startsBefore({ bytes, startTimeAt }: SpanFields, limit: Halves): boolean {
  const high = highAt(bytes, startTimeAt);
  return high < limit.high || (high === limit.high && lowAt(bytes, startTimeAt) < limit.low);
}

/** A span that ends before it starts has a negative duration, which is below any minimum. */
function minDurationTest(least: Halves): FieldTest {
  return ({ bytes, startTimeAt, endTimeAt }) => {
    if (!isSet(bytes, startTimeAt) || !isSet(bytes, endTimeAt)) return false;
    const low = lowAt(bytes, endTimeAt) - lowAt(bytes, startTimeAt);
    const borrow = low < 0 ? 1 : 0;
    const high = highAt(bytes, endTimeAt) - highAt(bytes, startTimeAt) - borrow;
    return high > least.high || (high === least.high && low + borrow * 2 ** 32 >= least.low);
  };
}

/** Reports whether the time is set. In proto3, 0 means "not set". */
function isSet(bytes: Uint8Array, at: number): boolean {
  return at !== ABSENT && (uint32At(bytes, at) !== 0 || uint32At(bytes, at + 4) !== 0);
}

function highAt(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + 4);
}

function lowAt(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at);
}
