import { assert } from "../assert.ts";
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from "./otlp-schema.ts";
import { varintValue, varintWidth } from "./varint.ts";

/**
 * A place within a message that the wire walk has accepted, moved from field to field by
 * `stepField`. One can be pointed at many messages, one after the other, so that a scan costs no
 * allocation.
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

/** Before the first field of the message that lies in `bytes` from `start` up to `end`. */
export function scanFrom(bytes: Uint8Array, start: number, end: number): FieldScan {
  return { bytes, at: start, end, fieldNumber: 0, valueAt: start };
}

/** Points a scan that there is already at another message. */
export function point(scan: FieldScan, bytes: Uint8Array, start: number, end: number): void {
  scan.bytes = bytes;
  scan.at = start;
  scan.end = end;
}

/** Steps to the next field; false at the end of the message. */
export function nextField(scan: FieldScan): boolean {
  if (scan.at === scan.end) return false;
  stepField(scan);
  return true;
}

/** The same where it is known that there is a next field. */
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

/** No field ends where the bytes begin. */
export const NOT_PLAIN = 0;

/**
 * Where a field ends that is like nearly all: its tag takes one byte, and so does its number or its
 * length. Two bytes tell, so a loop that keeps its place in a local can step over such fields in
 * about 2 ns each; those that are otherwise are left to `stepField`.
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

/** Any field, in whatever form the encoding allows. */
function stepOddField(scan: FieldScan): void {
  const tag = takeVarint(scan);
  scan.fieldNumber = tag >>> 3;
  const length = valueLength(scan, tag & 7);
  scan.valueAt = scan.at;
  scan.at += length;
}

/** Of a field with a length, takes the length first. */
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

/** Where a message's body lies within `bytes`. */
export interface MessageBytes {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** Bytes from `start` up to, and without, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The runs of one repeated field in a message that the walk accepted: fields with that number, one
 * behind the other, with their tags and lengths. Nearly every message has one run, or none.
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
