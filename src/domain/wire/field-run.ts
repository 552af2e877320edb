import { nextField, scanFrom } from "./field-scan.ts";

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
