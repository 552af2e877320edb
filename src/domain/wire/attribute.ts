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

/** The member of an AnyValue that has no value. */
export const NO_VALUE = 0;

/**
 * The offsets of the key and the value of an encoded KeyValue, and the member of the value. It is
 * reused for many attributes. An absent key has two equal offsets.
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

/** Reads the KeyValue whose body spans `start` to `end`. */
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
 * Reads the value at `fields`. An AnyValue is a oneof whose last member counts. If the value occurs
 * several times, the occurrences merge into one message.
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

/** Cannot be the offset of the end of a key. */
export const NO_PLAIN_KEY = 0;

/**
 * Returns the end of the key of the KeyValue from `start` to `end`, by reading only a few bytes;
 * the key starts at `start` + 2. It assumes a key followed by a value, each with a one-byte length,
 * and nothing else. Otherwise, the attribute must be read in full.
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
 * Returns the start of the text that is the value after a plain key, up to `end`; 0 if the value is
 * not text or has an unusual encoding.
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
 * Steps to the next attribute of the scanned span; returns false after the last. Then the body of
 * the attribute spans `valueAt` to `at`.
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
