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
import { doubleAt, hasGroups, isSame, isTrueVarint, varintGroups } from "../wire/scalars.ts";

/**
 * An attribute to find: its key, and its value as each kind of value that the text may mean. The
 * last three members are scratch space, so that a search allocates nothing.
 */
export interface WantedAttribute {
  readonly key: Uint8Array;
  readonly text: Uint8Array;
  readonly bool: boolean | undefined;
  /** The bytes of the varint. */
  readonly int: Uint8Array | undefined;
  readonly double: number | undefined;

  readonly found: EncodedAttribute;
  readonly span: FieldScan;
  readonly resource: ResourceScan;
}

/** The result for a message. If it has the key several times, any of the values may match. */
export const NO_SUCH_KEY = 0;
export const OTHER_VALUE = 1;
export const WANTED_VALUE = 2;

const INTEGER = /^-?\d{1,19}$/;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** The spellings of OTLP/JSON for values that are not finite. */
const NO_NUMBER = /^(?:NaN|-?Infinity)$/;

const encoder = new TextEncoder();

/**
 * Returns the attribute that a text means. "200" means the string, the integer and the double 200;
 * the same applies to "0.5" and "true".
 */
export function wantedAttribute(key: string, text: string): WantedAttribute {
  const integer = INTEGER.test(text) ? BigInt(text) : undefined;
  const isInt64 = integer !== undefined && BigInt.asIntN(64, integer) === integer;
  const isDouble = NUMBER.test(text) || NO_NUMBER.test(text);
  return {
    key: encoder.encode(key),
    text: encoder.encode(text),
    bool: text === "true" || text === "false" ? text === "true" : undefined,
    int: isInt64 ? varintGroups(integer) : undefined,
    double: isDouble ? Number(text) : undefined,
    found: createEncodedAttribute(),
    span: scanFrom(new Uint8Array(0), 0, 0),
    resource: createResourceScan(),
  };
}

/** Reports whether the text may also mean a number or a boolean. */
export function meansMoreThanText(text: string): boolean {
  const { bool, int, double } = wantedAttribute("", text);
  return bool !== undefined || int !== undefined || double !== undefined;
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

function verdictOfAttribute(
  wanted: WantedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const { found } = wanted;
  if (hasPlainlyOtherKey(wanted, bytes, start, end)) return NO_SUCH_KEY;
  readAttribute(found, bytes, start, end);
  if (!isSame(bytes, found.keyStart, found.keyEnd, wanted.key)) return NO_SUCH_KEY;
  return hasWantedValue(wanted, bytes) ? WANTED_VALUE : OTHER_VALUE;
}

function hasWantedValue({ found, text, bool, int, double }: WantedAttribute, bytes: Uint8Array) {
  const { member, valueStart: start, valueEnd: end } = found;
  if (member === STRING_VALUE) return isSame(bytes, start, end, text);
  if (member === BOOL_VALUE) return isTrueVarint(bytes, start, end) === bool;
  if (member === INT_VALUE) return int !== undefined && hasGroups(bytes, start, end, int);
  return member === DOUBLE_VALUE && double !== undefined && isEqual(doubleAt(bytes, start), double);
}

/** Compares numbers; NaN equals NaN. */
function isEqual(value: number, wanted: number): boolean {
  return value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
}
