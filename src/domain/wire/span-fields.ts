import { type FieldScan, nextField, scanFrom, stepField } from "./field-scan.ts";
import { WIRE_BYTES, WIRE_VARINT } from "./otlp-schema.ts";
import { int32Varint, textBetween, uint32At, uint64At } from "./scalars.ts";
import {
  ATTRIBUTES_TAG,
  END_TIME_FIELD,
  KIND_FIELD,
  NAME_FIELD,
  START_TIME_FIELD,
  STATUS_CODE_FIELD,
  STATUS_FIELD,
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
} from "./otlp-tags.ts";
import { isValidId, SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";

/**
 * The offsets of the fields of an encoded span that readers need, and two small numbers. Offsets
 * are relative to `bytes`, and are invalid once those change. The object is reused for many spans,
 * so that reading a span allocates nothing.
 *
 * The last occurrence of a field counts. An absent name or parent is empty; an absent time is at
 * `ABSENT`.
 */
export interface SpanFields extends FieldScan {
  traceIdAt: number;
  spanIdAt: number;
  parentStart: number;
  parentEnd: number;
  nameStart: number;
  nameEnd: number;
  kind: number;
  startTimeAt: number;
  endTimeAt: number;
  statusCode: number;
}

/** The offset of an absent time, which reads as 0. */
export const ABSENT = -1;

export function createSpanFields(): SpanFields {
  return {
    ...scanFrom(new Uint8Array(0), 0, 0),
    traceIdAt: 0,
    spanIdAt: 0,
    parentStart: 0,
    parentEnd: 0,
    nameStart: 0,
    nameEnd: 0,
    kind: 0,
    startTimeAt: ABSENT,
    endTimeAt: ABSENT,
    statusCode: 0,
  };
}

/**
 * Reads the fields of a span that the wire walk has accepted, in one pass: about 2 ns each, because
 * each field must be read to find the next one.
 *
 * It assumes that tags and lengths take one byte, and that a status has only a code. Other fields
 * are read by `readOddField`, at about five times the cost.
 */
export function readSpanFields(
  fields: SpanFields,
  bytes: Uint8Array,
  start: number,
  length: number,
): void {
  const end = start + length;
  forget(fields, bytes, end);
  let at = start;
  while (at < end) {
    const tag = bytes[at]!;
    const next = bytes[at + 1]!;
    const value = at + 2;
    if (tag === START_TIME_TAG) {
      fields.startTimeAt = at + 1;
      at += 9;
    } else if (tag === END_TIME_TAG) {
      fields.endTimeAt = at + 1;
      at += 9;
    } else if (tag === FLAGS_TAG_BYTE_0 && next === FLAGS_TAG_BYTE_1) {
      at += 6;
    } else if (tag > 0x7f || next > 0x7f) {
      at = readOddField(fields, at);
    } else if (tag === ATTRIBUTES_TAG) {
      at = value + next;
    } else if (tag === KIND_TAG) {
      fields.kind = next;
      at = value;
    } else if ((tag & 7) === WIRE_VARINT) {
      at = value;
    } else if (tag === STATUS_TAG && next === 2 && bytes[value] === STATUS_CODE_TAG) {
      fields.statusCode = bytes[at + 3]!;
      at += 4;
    } else if ((tag & 7) === WIRE_BYTES && tag < STATUS_TAG) {
      at = value + next;
      if (tag <= NAME_TAG) noteBytes(fields, tag, value, at);
    } else {
      at = readOddField(fields, at);
    }
  }
}

function forget(fields: SpanFields, bytes: Uint8Array, end: number): void {
  fields.bytes = bytes;
  fields.end = end;
  fields.parentStart = fields.parentEnd = end;
  fields.nameStart = fields.nameEnd = end;
  fields.kind = 0;
  fields.startTimeAt = fields.endTimeAt = ABSENT;
  fields.statusCode = 0;
}

function noteBytes(fields: SpanFields, tag: number, start: number, end: number): void {
  if (tag === NAME_TAG) {
    fields.nameStart = start;
    fields.nameEnd = end;
  } else if (tag === PARENT_SPAN_ID_TAG) {
    fields.parentStart = start;
    fields.parentEnd = end;
  } else if (tag === TRACE_ID_TAG) fields.traceIdAt = start;
  else if (tag === SPAN_ID_TAG) fields.spanIdAt = start;
}

/** Reads a field of any form that the encoding allows; returns the start of the next one. */
function readOddField(fields: SpanFields, at: number): number {
  fields.at = at;
  stepField(fields);
  const { bytes, fieldNumber, valueAt, at: end } = fields;
  if (fieldNumber <= NAME_FIELD) noteBytes(fields, (fieldNumber << 3) | WIRE_BYTES, valueAt, end);
  else if (fieldNumber === KIND_FIELD) fields.kind = int32Varint(bytes, valueAt, end);
  else if (fieldNumber === START_TIME_FIELD) fields.startTimeAt = valueAt;
  else if (fieldNumber === END_TIME_FIELD) fields.endTimeAt = valueAt;
  else if (fieldNumber === STATUS_FIELD) readStatus(fields, valueAt, end);
  return end;
}

/**
 * Reads a status. Several statuses merge into one; a status without a code keeps the earlier code.
 */
function readStatus(fields: SpanFields, start: number, end: number): void {
  const scan = scanFrom(fields.bytes, start, end);
  while (nextField(scan)) {
    if (scan.fieldNumber !== STATUS_CODE_FIELD) continue;
    fields.statusCode = int32Varint(scan.bytes, scan.valueAt, scan.at);
  }
}

/** The fields of a span that a trace summary needs. */
export interface SpanDigest {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  readonly hasParent: boolean;
  readonly name: string;
  /** 0n when absent. */
  readonly startTimeUnixNano: bigint;
  /** 0n when absent. */
  readonly endTimeUnixNano: bigint;
  /** StatusCode: 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
}

/**
 * Returns the digest of a span whose fields have been read and whose bytes have not changed since.
 */
export function digestSpan(fields: SpanFields): SpanDigest {
  return {
    traceId: traceIdHex(fields),
    hasParent: hasParent(fields),
    name: spanName(fields),
    startTimeUnixNano: timeAt(fields, fields.startTimeAt),
    endTimeUnixNano: timeAt(fields, fields.endTimeAt),
    statusCode: fields.statusCode,
  };
}

export function traceIdHex({ bytes, traceIdAt }: SpanFields): string {
  return bytes.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES).toHex();
}

/** Returns the identifier of the span, in lowercase hex. */
export function spanIdHex({ bytes, spanIdAt }: SpanFields): string {
  return bytes.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES).toHex();
}

/** Returns the identifier of the parent; empty if there is none. */
export function parentIdHex({ bytes, parentStart, parentEnd }: SpanFields): string {
  return bytes.subarray(parentStart, parentEnd).toHex();
}

/**
 * Reports whether a span has a parent. Some senders write an identifier of zeros on root spans,
 * which means none.
 */
export function hasParent({ bytes, parentStart, parentEnd }: SpanFields): boolean {
  return isValidId(bytes, parentStart, parentEnd);
}

export function spanName({ bytes, nameStart, nameEnd }: SpanFields): string {
  return textBetween(bytes, nameStart, nameEnd);
}

/** Returns Unix nanoseconds; 0 if the field is absent. */
function timeAt({ bytes }: SpanFields, at: number): bigint {
  return at === ABSENT ? 0n : uint64At(bytes, at);
}

/** Returns Unix nanoseconds, rounded to a double; 0 if the field is absent. */
export function roundedTimeAt({ bytes }: SpanFields, at: number): number {
  return at === ABSENT ? 0 : uint32At(bytes, at + 4) * 2 ** 32 + uint32At(bytes, at);
}

/**
 * Returns the duration in nanoseconds, exact below 2^53 and negative if the span ends before it
 * starts; undefined if its start or its end is not set.
 */
export function durationNano(fields: SpanFields): number | undefined {
  const { bytes, startTimeAt: start, endTimeAt: end } = fields;
  if (roundedTimeAt(fields, start) === 0 || roundedTimeAt(fields, end) === 0) return undefined;
  const high = uint32At(bytes, end + 4) - uint32At(bytes, start + 4);
  return high * 2 ** 32 + uint32At(bytes, end) - uint32At(bytes, start);
}
