import { type LogRecord, RECORD_HEAD_BYTES, type SegmentBytes } from "./segment-file.ts";
import type { SequenceRange } from "./sequence-ranges.ts";

/** A request as it was logged. */
export interface StoredRequest {
  readonly firstSequence: number;
  readonly spanCount: number;
  readonly spanBytes: number;
  readonly unixMs: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Receives a request, whose bytes are valid during the call only, and its stored sequences; returns
 * whether to continue.
 */
export type VisitStored = (request: StoredRequest, stored: readonly SequenceRange[]) => boolean;

/** Returns the request of a record, as a view of these bytes. */
export function storedRequest(chunk: SegmentBytes, at: number, record: LogRecord): StoredRequest {
  const payloadAt = at + RECORD_HEAD_BYTES;
  return {
    firstSequence: record.firstSequence,
    spanCount: record.spanCount,
    spanBytes: record.spanBytes,
    unixMs: record.value,
    bytes: chunk.bytes.subarray(
      payloadAt,
      payloadAt + record.payloadBytes,
    ) as Uint8Array<ArrayBuffer>,
  };
}
