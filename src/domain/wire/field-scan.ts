import { assert } from "../assert.ts";
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from "./otlp-schema.ts";
import { varintValue, varintWidth } from "./scalars.ts";

/**
 * A position in a message that the wire walk has accepted, moved from field to field by
 * `stepField`. It can be re-pointed at many messages, so a scan allocates nothing.
 *
 *     [ tag ][ value ][ tag ][ length ][ value      ][ tag ] ...
 *                                      ^valueAt      ^at, also the end of the value
 */
export interface FieldScan {
  bytes: Uint8Array;
  at: number;
  end: number;
  fieldNumber: number;
  valueAt: number;
}

/** Returns a scan before the first field of the message from `start` to `end`. */
export function scanFrom(bytes: Uint8Array, start: number, end: number): FieldScan {
  return { bytes, at: start, end, fieldNumber: 0, valueAt: start };
}

/** Re-points an existing scan at another message. */
export function point(scan: FieldScan, bytes: Uint8Array, start: number, end: number): void {
  scan.bytes = bytes;
  scan.at = start;
  scan.end = end;
}

/** Steps to the next field; returns false at the end of the message. */
export function nextField(scan: FieldScan): boolean {
  if (scan.at === scan.end) return false;
  stepField(scan);
  return true;
}

/** Steps to the next field, which the caller knows to exist. */
export function stepField(scan: FieldScan): void {
  const { bytes, at } = scan;
  const plainEnd = plainFieldEnd(bytes, at);
  if (plainEnd === NOT_PLAIN) stepOddField(scan);
  else {
    const tag = bytes[at]!;
    scan.fieldNumber = tag >>> 3;
    scan.valueAt = (tag & 7) === WIRE_BYTES ? at + 2 : at + 1;
    scan.at = plainEnd;
  }
  assert(scan.at <= scan.end, "an accepted field ends within its message");
}

/** Cannot be the offset of the end of a field. */
export const NOT_PLAIN = 0;

/**
 * Returns the end of a field of the usual form, in which the tag takes one byte, and so does the
 * number or the length. Two bytes decide this, so a loop that keeps its position in a local
 * variable skips such fields in about 2 ns each, and leaves others to `stepField`.
 */
export function plainFieldEnd(bytes: Uint8Array, at: number): number {
  const tag = bytes[at]!;
  const next = bytes[at + 1]!;
  const wireType = tag & 7;
  if (tag > 0x7f) return NOT_PLAIN;
  if (wireType === WIRE_FIXED64) return at + 9;
  if (next > 0x7f) return NOT_PLAIN;
  if (wireType === WIRE_BYTES) return at + 2 + next;
  return wireType === WIRE_VARINT ? at + 2 : NOT_PLAIN;
}

/**
 * Steps over a field of any form that the encoding allows. Most of them are messages of 128 to
 * 16,383 bytes, such as spans, whose length takes two bytes.
 */
function stepOddField(scan: FieldScan): void {
  const { bytes, at } = scan;
  const first = bytes[at]!;
  const low = bytes[at + 1]!;
  const high = bytes[at + 2]!;
  if (first <= 0x7f && (first & 7) === WIRE_BYTES && low > 0x7f && high <= 0x7f) {
    scan.fieldNumber = first >>> 3;
    scan.valueAt = at + 3;
    scan.at = at + 3 + (low & 0x7f) + (high << 7);
  } else stepAnyField(scan);
}

function stepAnyField(scan: FieldScan): void {
  const tag = takeVarint(scan);
  scan.fieldNumber = tag >>> 3;
  const length = valueLength(scan, tag & 7);
  scan.valueAt = scan.at;
  scan.at += length;
}

/** Returns the length of a value, which it reads first if the field has one. */
function valueLength(scan: FieldScan, wireType: number): number {
  if (wireType === WIRE_BYTES) return takeVarint(scan);
  if (wireType === WIRE_VARINT) return nextVarintWidth(scan);
  if (wireType === WIRE_FIXED64) return 8;
  assert(wireType === WIRE_FIXED32, "groups are not accepted");
  return 4;
}

function takeVarint(scan: FieldScan): number {
  const width = nextVarintWidth(scan);
  const value = varintValue(scan.bytes, scan.at, width);
  scan.at += width;
  return value;
}

function nextVarintWidth({ bytes, at, end }: FieldScan): number {
  const width = varintWidth(bytes, at, end);
  assert(width > 0, "an accepted varint ends within its message");
  return width;
}

/** The body of a message within `bytes`. */
export interface MessageBytes {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** Bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the runs of one repeated field in a message that the walk accepted: adjacent fields with
 * that number, with their tags and lengths. Nearly every message has one run or none.
 *
 *   [ scope ][ Span ][ Span ][ Span ][ schema_url ]
 *            ^start                  ^end
 */
export function fieldRuns(message: MessageBytes, wanted: number): ByteRange[] {
  const end = message.offset + message.length;
  const scan = scanFrom(message.bytes, message.offset, end);
  const runs: ByteRange[] = [];
  let start = -1;
  for (let fieldAt = scan.at; nextField(scan); fieldAt = scan.at) {
    const isWanted = scan.fieldNumber === wanted;
    if (isWanted && start < 0) start = fieldAt;
    if (isWanted || start < 0) continue;
    runs.push({ start, end: fieldAt });
    start = -1;
  }
  if (start >= 0) runs.push({ start, end });
  return runs;
}
