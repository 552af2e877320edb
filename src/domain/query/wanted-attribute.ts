import {
  createEncodedAttribute,
  type EncodedAttribute,
  NO_PLAIN_KEY,
  plainKeyEnd,
  readAttribute,
  nextSpanAttribute,
} from "../wire/attribute.ts";
import { BOOL_VALUE, DOUBLE_VALUE, INT_VALUE, STRING_VALUE } from "../wire/otlp-tags.ts";
import { type FieldScan, point, scanFrom } from "../wire/field-scan.ts";
import {
  createResourceScan,
  nextAttribute,
  type ResourceScan,
  scanResource,
} from "../wire/resource.ts";
import {
  doubleAt,
  hasGroups,
  int64Varint,
  isSame,
  isTrueVarint,
  varintGroups,
} from "../wire/scalars.ts";
import { hasPattern, textPattern } from "./sought-text.ts";

/**
 * An attribute to find: its key, and the test of its value. The last three members are scratch
 * space, so that a search allocates nothing.
 */
export interface WantedAttribute {
  readonly key: Uint8Array;
  readonly isWanted: ValueTest;

  readonly found: EncodedAttribute;
  readonly span: FieldScan;
  readonly resource: ResourceScan;
}

/** Tests a value, by the member of its AnyValue and the range of its bytes. */
export type ValueTest = (value: EncodedValue, bytes: Uint8Array) => boolean;

type EncodedValue = Pick<EncodedAttribute, "member" | "valueStart" | "valueEnd">;

/** The result for a message. If it has the key several times, any of the values may match. */
export const NO_SUCH_KEY = 0;
export const OTHER_VALUE = 1;
export const WANTED_VALUE = 2;

const INTEGER = /^-?\d{1,19}$/;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** The spellings of OTLP/JSON for values that are not finite. */
const NO_NUMBER = /^(?:NaN|-?Infinity)$/;

const encoder = new TextEncoder();

export function wantedAttribute(key: string, isWanted: ValueTest): WantedAttribute {
  return {
    key: encoder.encode(key),
    isWanted,
    found: createEncodedAttribute(),
    span: scanFrom(new Uint8Array(0), 0, 0),
    resource: createResourceScan(),
  };
}

/**
 * Returns the test for the values that a text means. "200" means the string, the integer and the
 * double 200; the same applies to "0.5" and "true".
 */
export function equals(text: string): ValueTest {
  const wanted = encoder.encode(text);
  const meansOther = otherMeanings(text);
  return (value, bytes) => {
    const { member, valueStart, valueEnd } = value;
    if (member === STRING_VALUE) return isSame(bytes, valueStart, valueEnd, wanted);
    return meansOther?.(value, bytes) ?? false;
  };
}

/** Returns the test for strings with a pattern, in which `*` stands for any text. */
export function matches(text: string): ValueTest {
  const pattern = textPattern(text);
  return ({ member, valueStart, valueEnd }, bytes) =>
    member === STRING_VALUE && hasPattern(pattern, bytes, valueStart, valueEnd);
}

/** Reports whether the text may also mean a number or a boolean. */
export function meansMoreThanText(text: string): boolean {
  return otherMeanings(text) !== undefined;
}

/** Returns the test for the numbers and the boolean that a text means; undefined if none. */
export function otherMeanings(text: string): ValueTest | undefined {
  const integer = INTEGER.test(text) ? BigInt(text) : undefined;
  const isInt64 = integer !== undefined && BigInt.asIntN(64, integer) === integer;
  const int = isInt64 ? varintGroups(integer) : undefined;
  const double = NUMBER.test(text) || NO_NUMBER.test(text) ? Number(text) : undefined;
  const bool = text === "true" || text === "false" ? text === "true" : undefined;
  if (double === undefined && bool === undefined) return undefined;
  return ({ member, valueStart: start, valueEnd: end }, bytes) => {
    if (member === BOOL_VALUE) return isTrueVarint(bytes, start, end) === bool;
    if (member === INT_VALUE) return int !== undefined && hasGroups(bytes, start, end, int);
    if (member !== DOUBLE_VALUE || double === undefined) return false;
    return isEqual(doubleAt(bytes, start), double);
  };
}

/** The comparisons of a number, the longer ones first. */
const COMPARISONS = [">=", "<=", ">", "<"] as const;
export type NumberComparison = (typeof COMPARISONS)[number];

/** The operand of a comparison of an attribute with a number. */
export interface ComparedAttribute {
  readonly key: string;
  readonly comparison: NumberComparison;
  readonly number: number;
}

const COMPARED = /^(?<key>[^<>]+?)\s*(?<sign>>=|<=|>|<)\s*(?<digits>[-+.\deE]+)$/;

/** Parses `http.response.status_code>=500`. */
export function readComparedAttribute(written: string): ComparedAttribute | undefined {
  const { key = "", sign, digits = "" } = COMPARED.exec(written)?.groups ?? {};
  const comparison = COMPARISONS.find((known) => known === sign);
  if (comparison === undefined || !NUMBER.test(digits)) return undefined;
  return { key, comparison, number: Number(digits) };
}

/** Returns the test for integers and doubles on one side of a number. No other value passes it. */
export function compares({ comparison, number }: Omit<ComparedAttribute, "key">): ValueTest {
  const isMet = comparisonOf(comparison, number);
  return ({ member, valueStart, valueEnd }, bytes) => {
    if (member === INT_VALUE) return isMet(int64Varint(bytes, valueStart, valueEnd));
    return member === DOUBLE_VALUE && isMet(doubleAt(bytes, valueStart));
  };
}

function comparisonOf(comparison: NumberComparison, number: number): (value: number) => boolean {
  switch (comparison) {
    case ">=":
      return (value) => value >= number;
    case "<=":
      return (value) => value <= number;
    case ">":
      return (value) => value > number;
    case "<":
      return (value) => value < number;
  }
}

/** Returns the result for the span whose body begins at `offset`. */
export function verdictOfSpan(
  wanted: WantedAttribute,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const { span } = wanted;
  let verdict = NO_SUCH_KEY;
  point(span, bytes, offset, offset + length);
  while (verdict !== WANTED_VALUE && nextSpanAttribute(span)) {
    verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, span.valueAt, span.at));
  }
  return verdict;
}

/** Returns the result for the resource of the ResourceSpans message at `offset`. */
export function verdictOfResource(
  wanted: WantedAttribute,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const { resource } = wanted;
  let verdict = NO_SUCH_KEY;
  scanResource(resource, bytes, offset, length);
  while (verdict !== WANTED_VALUE && nextAttribute(resource)) {
    const { valueAt, at } = resource.attributes;
    verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, valueAt, at));
  }
  return verdict;
}

/**
 * Reports whether the KeyValue in this range is seen to have another key, by reading only a few
 * bytes.
 */
function hasPlainlyOtherKey(
  { key }: WantedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const keyEnd = plainKeyEnd(bytes, start, end);
  return keyEnd !== NO_PLAIN_KEY && !isSame(bytes, start + 2, keyEnd, key);
}

/** Returns the result for the KeyValue in this range. */
export function verdictOfAttribute(
  wanted: WantedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const { found } = wanted;
  if (hasPlainlyOtherKey(wanted, bytes, start, end)) return NO_SUCH_KEY;
  readAttribute(found, bytes, start, end);
  if (!isSame(bytes, found.keyStart, found.keyEnd, wanted.key)) return NO_SUCH_KEY;
  return wanted.isWanted(found, bytes) ? WANTED_VALUE : OTHER_VALUE;
}

/** Compares numbers; NaN equals NaN. */
function isEqual(value: number, wanted: number): boolean {
  return value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
}
