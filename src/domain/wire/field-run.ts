import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64 } from "./otlp-schema.ts";
import { varintValue, varintWidth } from "./varint.ts";

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
  const { bytes, offset } = message;
  const end = offset + message.length;
  const runs: ByteRange[] = [];
  let start = -1;
  for (let at = offset; at < end; at = fieldEnd(bytes, at, end)) {
    const isWanted = fieldNumber(bytes, at, end) === wanted;
    if (isWanted && start < 0) start = at;
    if (isWanted || start < 0) continue;
    runs.push({ start, end: at });
    start = -1;
  }
  if (start >= 0) runs.push({ start, end });
  return runs;
}

function fieldNumber(bytes: Uint8Array, at: number, end: number): number {
  return Math.floor(varintValue(bytes, at, varintWidth(bytes, at, end)) / 8);
}

function fieldEnd(bytes: Uint8Array, start: number, end: number): number {
  const at = start + varintWidth(bytes, start, end);
  const wireType = bytes[start]! & 7;
  if (wireType === WIRE_FIXED64) return at + 8;
  if (wireType === WIRE_FIXED32) return at + 4;
  const width = varintWidth(bytes, at, end);
  return at + width + (wireType === WIRE_BYTES ? varintValue(bytes, at, width) : 0);
}
