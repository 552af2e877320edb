/**
 * The fast path of the walk: fields of a span in the form that nearly every encoder writes.
 *
 * The assumptions: identifiers come first, tags and lengths take one byte, attributes are one short
 * key with one short scalar, and a status has only a code. Such fields are checked by comparing a
 * few bytes with the expected ones, instead of going through the schema and into three kinds of
 * message. A usual span is walked about five times as fast (`bun run bench walk`).
 *
 * If an assumption fails, the functions return the position of the failure. The general walk reads
 * one field there, and then the fast path resumes. Nothing is called malformed here.
 */
import { isValidId, SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";
import {
  ATTRIBUTES_TAG,
  BOOL_VALUE_TAG,
  DOUBLE_VALUE_TAG,
  INT_VALUE_TAG,
  KEY_TAG,
  STRING_VALUE_TAG,
  VALUE_TAG,
  DROPPED_ATTRIBUTES_TAG,
  DROPPED_EVENTS_TAG,
  DROPPED_LINKS_TAG,
  END_TIME_TAG,
  FLAGS_TAG_BYTE_0,
  FLAGS_TAG_BYTE_1,
  KIND_TAG,
  NAME_TAG,
  PARENT_SPAN_ID_TAG,
  SPAN_ID_TAG,
  START_TIME_TAG,
  STATUS_TAG,
  STATUS_CODE_TAG,
  TRACE_ID_TAG,
  TRACE_STATE_TAG,
} from "./otlp-tags.ts";

/** The depth of the messages in plain spans: the span, its attribute and the value. */
export const PLAIN_DEPTH = 3;

/** The offset after a tag and a length. */
export const PLAIN_TRACE_ID_AT = 2;

const PLAIN_IDS_BYTES = 2 + TRACE_ID_BYTES + 2 + SPAN_ID_BYTES;
const PLAIN_PARENT_BYTES = 2 + SPAN_ID_BYTES;

/**
 * Returns the end of the identifiers if the span starts with its own two, both valid, and
 * optionally its parent's; otherwise `at`. They are not among the plain fields, because a later one
 * with the same number overrides an earlier one.
 */
export function skipPlainIds(bytes: Uint8Array, at: number, length: number): number {
  const spanId = at + 2 + TRACE_ID_BYTES;
  const end = at + PLAIN_IDS_BYTES;
  if (length < PLAIN_IDS_BYTES || bytes[at] !== TRACE_ID_TAG || bytes[spanId] !== SPAN_ID_TAG)
    return at;
  if (bytes[at + 1] !== TRACE_ID_BYTES || bytes[spanId + 1] !== SPAN_ID_BYTES) return at;
  if (!isValidId(bytes, at + 2, spanId) || !isValidId(bytes, spanId + 2, end)) return at;
  const hasParent =
    length >= PLAIN_IDS_BYTES + PLAIN_PARENT_BYTES && bytes[end] === PARENT_SPAN_ID_TAG;
  return hasParent && bytes[end + 1] === SPAN_ID_BYTES ? end + PLAIN_PARENT_BYTES : end;
}

/** Returns the start of the first field that is not plain, or `end`. */
export function skipPlainFields(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  let hasName = false;
  while (end - at > 1) {
    const tag = bytes[at]!;
    const next = bytes[at + 1]!;
    let after = at + 2;
    if (tag === ATTRIBUTES_TAG) {
      after += next;
      if (next > 0x7f || after > end || !isPlainAttribute(bytes, at + 2, after)) return at;
    } else if (tag === START_TIME_TAG || tag === END_TIME_TAG) {
      after += 7;
    } else if (tag === NAME_TAG || tag === TRACE_STATE_TAG) {
      if (next > 0x7f) return at;
      after += next;
      // A second name overrides the first, so such a span cannot be read in part.
      if (tag === NAME_TAG && hasName) return at;
      hasName ||= tag === NAME_TAG;
    } else if (
      tag === KIND_TAG ||
      tag === DROPPED_ATTRIBUTES_TAG ||
      tag === DROPPED_EVENTS_TAG ||
      tag === DROPPED_LINKS_TAG
    ) {
      if (next > 0x7f) return at;
    } else if (tag === FLAGS_TAG_BYTE_0 && next === FLAGS_TAG_BYTE_1) {
      after += 4;
    } else if (tag === STATUS_TAG && next === 2) {
      if (bytes[at + 2] !== STATUS_CODE_TAG || bytes[at + 3]! > 0x7f) return at;
      after += 2;
    } else return at;
    if (after > end) return at;
    at = after;
  }
  return at;
}

/**
 * Returns the offset of the length of the name of a plain span. A plain span has one name, near its
 * start; 0 if the name is elsewhere or absent.
 *
 *   [trace id][span id]([parent])([trace state])[ 2a ][ length ][ name ]
 *                                                     ^
 */
export function plainNameAt(bytes: Uint8Array, spanOffset: number, spanLength: number): number {
  const end = spanOffset + spanLength;
  let at = spanOffset + PLAIN_IDS_BYTES;
  if (at < end && bytes[at] === PARENT_SPAN_ID_TAG) at += PLAIN_PARENT_BYTES;
  if (at < end && bytes[at] === TRACE_STATE_TAG) at += 2 + bytes[at + 1]!;
  return at < end && bytes[at] === NAME_TAG ? at + 1 : 0;
}

/** Skips plain attributes of messages other than spans, in which they have another tag. */
export function skipPlainAttributes(
  bytes: Uint8Array,
  tag: number,
  from: number,
  end: number,
): number {
  let at = from;
  while (end - at > 1 && bytes[at] === tag) {
    const length = bytes[at + 1]!;
    const after = at + 2 + length;
    if (length > 0x7f || after > end || !isPlainAttribute(bytes, at + 2, after)) return at;
    at = after;
  }
  return at;
}

/**
 *   KeyValue   [0a][key bytes][ key ... ][12][value bytes][ AnyValue         ]
 *   AnyValue                                              [0a][bytes][ ...   ]  string
 *                                                         [10 or 18][ varint ]  bool, int
 *                                                         [21][ 8 bytes      ]  double
 */
function isPlainAttribute(bytes: Uint8Array, start: number, end: number): boolean {
  // This covers two tags, two lengths and the shortest scalar; a shorter one would be read past its
  // end.
  if (end - start < 6 || bytes[start] !== KEY_TAG) return false;
  const valueTag = start + 2 + bytes[start + 1]!;
  // A key too long for a one-byte length would end after `end`, which is at most 127 bytes away.
  if (valueTag + 4 > end || bytes[valueTag] !== VALUE_TAG) return false;
  const value = valueTag + 2;
  if (value + bytes[valueTag + 1]! !== end) return false;
  const tag = bytes[value]!;
  const next = bytes[value + 1]!;
  if (tag === STRING_VALUE_TAG) return value + 2 + next === end;
  if (tag === DOUBLE_VALUE_TAG) return value + 9 === end;
  if (tag !== INT_VALUE_TAG && tag !== BOOL_VALUE_TAG) return false;
  return next < 0x80 ? value + 2 === end : value + 3 === end && bytes[value + 2]! < 0x80;
}
