import {
  BOOL_VALUE,
  createEncodedAttribute,
  DOUBLE_VALUE,
  type EncodedAttribute,
  INT_VALUE,
  readAttribute,
  STRING_VALUE,
} from "../wire/attribute.ts";
import {
  type FieldScan,
  NOT_PLAIN,
  plainFieldEnd,
  point,
  scanFrom,
  stepField,
} from "../wire/field-scan.ts";
import {
  createResourceScan,
  nextAttribute,
  type ResourceScan,
  scanResource,
} from "../wire/resource-scan.ts";
import { doubleAt, hasGroups, isSame, isTrueVarint, varintGroups } from "../wire/scalar-bytes.ts";

/**
 * An attribute to look for: its key, and its value once for each kind of value that the text may
 * stand for. Behind them, what looking for it needs, so that it costs no allocation.
 */
export interface WantedAttribute {
  readonly key: Uint8Array;
  readonly text: Uint8Array;
  readonly bool: boolean | undefined;
  /** The groups of its varint. */
  readonly int: Uint8Array | undefined;
  readonly double: number | undefined;

  readonly found: EncodedAttribute;
  readonly span: FieldScan;
  readonly resource: ResourceScan;
}

/** What a message says. It may have the key several times; then any value will do. */
export const NO_SUCH_KEY = 0;
export const OTHER_VALUE = 1;
export const WANTED_VALUE = 2;

const INTEGER = /^-?\d{1,19}$/;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** As OTLP/JSON spells what is no number. */
const NO_NUMBER = /^(?:NaN|-?Infinity)$/;

const encoder = new TextEncoder();

/** "200" is the text 200, the integer 200 and the double 200; "0.5" and "true" likewise. */
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

// Tags of `Span.attributes`, and within KeyValue.
const ATTRIBUTE = 0x4a;
const KEY = 0x0a;
const VALUE = 0x12;
const ATTRIBUTES_FIELD = 9;

/** What a span says, whose body lies at `offset`. */
export function verdictOfSpan(
  wanted: WantedAttribute,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const { span } = wanted;
  const end = offset + length;
  let verdict = NO_SUCH_KEY;
  point(span, bytes, offset, end);
  for (let at = offset; at < end && verdict !== WANTED_VALUE;) {
    const fieldAt = at;
    at = plainFieldEnd(bytes, at);
    if (at === NOT_PLAIN) {
      span.at = fieldAt;
      stepField(span);
      at = span.at;
      if (span.fieldNumber !== ATTRIBUTES_FIELD) continue;
      verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, span.valueAt, at));
    } else if (bytes[fieldAt] === ATTRIBUTE) {
      verdict = Math.max(verdict, verdictOfAttribute(wanted, bytes, fieldAt + 2, at));
    }
  }
  return verdict;
}

/** What a resource says, whose ResourceSpans message lies at `offset`. */
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
 * Whether the KeyValue whose body lies from `start` up to `end` has another key, as a few bytes
 * tell. The bet: a key and behind it a value, their lengths in one byte, and nothing else. Where it
 * is lost the answer is no, and the attribute has to be read.
 *
 *   [0a][key bytes][ key ... ][12][value bytes][ value ... ]
 */
function hasPlainlyOtherKey(
  { key }: WantedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const keyBytes = bytes[start + 1]!;
  const valueTag = start + 2 + keyBytes;
  if (bytes[start] !== KEY || keyBytes > 0x7f) return false;
  const valueBytes = bytes[valueTag + 1]!;
  if (bytes[valueTag] !== VALUE || valueTag + 2 + valueBytes !== end) return false;
  return valueBytes < 0x80 && !isSame(bytes, start + 2, valueTag, key);
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

/** As numbers are, but that one which is not a number is like any other. */
function isEqual(value: number, wanted: number): boolean {
  return value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
}
