import {
  type FieldScan,
  nextField,
  point,
  scanFrom,
  NOT_PLAIN,
  plainFieldEnd,
  stepField,
} from "./field-scan.ts";
import {
  KEY_FIELD,
  KEY_TAG,
  STRING_INDEX_VALUE,
  STRING_VALUE_TAG,
  VALUE_FIELD,
  VALUE_TAG,
  ATTRIBUTES_FIELD,
  ATTRIBUTES_TAG,
} from "./otlp-tags.ts";

/** The member of an AnyValue in which nothing is set. */
export const NO_VALUE = 0;

/**
 * Where key and value of one encoded KeyValue lie, and which member its value is. One is made and
 * used for many. Of a key that is not there both offsets are the same.
 */
export interface EncodedAttribute {
  readonly fields: FieldScan;
  readonly members: FieldScan;
  keyStart: number;
  keyEnd: number;
  member: number;
  valueStart: number;
  valueEnd: number;
}

export function createEncodedAttribute(): EncodedAttribute {
  const nothing = new Uint8Array(0);
  return {
    fields: scanFrom(nothing, 0, 0),
    members: scanFrom(nothing, 0, 0),
    keyStart: 0,
    keyEnd: 0,
    member: NO_VALUE,
    valueStart: 0,
    valueEnd: 0,
  };
}

/** Reads the KeyValue whose body lies from `start` up to `end`. */
export function readAttribute(
  attribute: EncodedAttribute,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { fields } = attribute;
  attribute.keyStart = attribute.keyEnd = start;
  attribute.member = NO_VALUE;
  point(fields, bytes, start, end);
  while (nextField(fields)) {
    if (fields.fieldNumber === KEY_FIELD) {
      attribute.keyStart = fields.valueAt;
      attribute.keyEnd = fields.at;
    } else if (fields.fieldNumber === VALUE_FIELD) readValue(attribute);
  }
}

/**
 * The value that `fields` is at. An AnyValue is a oneof: the member that came last counts, in
 * whichever of the occurrences of the value, which mean one message together.
 */
function readValue(attribute: EncodedAttribute): void {
  const { fields, members } = attribute;
  point(members, fields.bytes, fields.valueAt, fields.at);
  while (nextField(members)) {
    if (members.fieldNumber > STRING_INDEX_VALUE) continue;
    attribute.member = members.fieldNumber;
    attribute.valueStart = members.valueAt;
    attribute.valueEnd = members.at;
  }
}

/** No key ends where the bytes begin. */
export const NO_PLAIN_KEY = 0;

/**
 * Where the key ends of the KeyValue whose body lies from `start` up to `end`, as a few bytes tell;
 * it begins at `start` + 2. The bet: a key and behind it a value, their lengths in one byte, and
 * nothing else. Where it is lost the attribute has to be read.
 *
 *   [0a][key bytes][ key ... ][12][value bytes][ value ... ]
 *                             ^
 */
export function plainKeyEnd(bytes: Uint8Array, start: number, end: number): number {
  const keyBytes = bytes[start + 1]!;
  const valueTag = start + 2 + keyBytes;
  if (bytes[start] !== KEY_TAG || keyBytes > 0x7f) return NO_PLAIN_KEY;
  const valueBytes = bytes[valueTag + 1]!;
  if (bytes[valueTag] !== VALUE_TAG || valueTag + 2 + valueBytes !== end) return NO_PLAIN_KEY;
  return valueBytes < 0x80 ? valueTag : NO_PLAIN_KEY;
}

/**
 * Where the text begins that is the value behind a plain key, up to `end`; 0 when the value is
 * another, or a text that is not written in the usual way.
 *
 *   [12][value bytes][0a][text bytes][ text ... ]
 *                                    ^           ^end
 */
export function plainTextAt(bytes: Uint8Array, keyEnd: number, end: number): number {
  const textBytes = bytes[keyEnd + 3]!;
  const isText = end - keyEnd >= 4 && bytes[keyEnd + 2] === STRING_VALUE_TAG && textBytes < 0x80;
  return isText && keyEnd + 4 + textBytes === end ? keyEnd + 4 : 0;
}

/**
 * Steps to the next attribute of the span that the scan goes through; false behind the last. After
 * it, the attribute's body lies from `valueAt` up to `at`.
 */
export function nextSpanAttribute(scan: FieldScan): boolean {
  const { bytes, end } = scan;
  for (let at = scan.at; at < end;) {
    const fieldAt = at;
    at = plainFieldEnd(bytes, at);
    if (at === NOT_PLAIN) {
      scan.at = fieldAt;
      stepField(scan);
      at = scan.at;
      if (scan.fieldNumber === ATTRIBUTES_FIELD) return true;
    } else if (bytes[fieldAt] === ATTRIBUTES_TAG) {
      scan.valueAt = fieldAt + 2;
      scan.at = at;
      return true;
    }
  }
  return false;
}
