import {
  CARRIED,
  emptyRecord,
  hasRecordHead,
  type LogRecord,
  readHead,
  readRecord,
  recordBytes,
  type SegmentBytes,
} from "./segment-file.ts";

/** Bytes of a segment that are not a record. */
export interface BrokenBytes {
  readonly offsetBytes: number;
  readonly endBytes: number;
}

/**
 * The records and broken bytes of a segment. Records begin at multiples of 8 bytes, so after broken
 * bytes the next record is found by its magic number and confirmed by its checksum.
 *
 *   |header|record|record|///broken///|record|record|/// torn /////|
 *                                                   ^provenBytes
 *
 * `provenBytes` is the largest `synced bytes` of any record, here or carried by a newer segment:
 * everything before it was on stable storage once. Broken bytes there are damage, and the records
 * after them still count. Broken bytes after it are an unfinished write, so nothing after them was
 * acknowledged.
 */
export interface SegmentScan {
  readonly broken: readonly BrokenBytes[];
  readonly provenBytes: number;
}

/** Checks every record of a segment, beginning at `from`. */
export function scanSegment(segment: SegmentBytes, from: number): SegmentScan {
  const record = emptyRecord();
  const broken: BrokenBytes[] = [];
  let provenBytes = 0;
  for (let at = from; at < segment.bytes.length;) {
    if (readRecord(segment, at, record)) {
      if (record.type !== CARRIED) provenBytes = Math.max(provenBytes, record.syncedBytes);
      at += recordBytes(record.payloadBytes);
    } else {
      const endBytes = nextRecord(segment, at + 8);
      broken.push({ offsetBytes: at, endBytes });
      at = endBytes;
    }
  }
  return { broken, provenBytes };
}

/** Visits the records that a scan has found, in order; `visit` must not keep its argument. */
export function visitRecords(
  segment: SegmentBytes,
  { from, end, broken }: { from: number; end: number; broken: readonly BrokenBytes[] },
  visit: (record: LogRecord, at: number) => void,
): void {
  const record = emptyRecord();
  let nextBroken = 0;
  for (let at = from; at < Math.min(end, segment.bytes.length);) {
    if (broken[nextBroken]?.offsetBytes === at) {
      at = broken[nextBroken]!.endBytes;
      nextBroken += 1;
    } else {
      readHead(segment.view, at, record);
      visit(record, at);
      at += recordBytes(record.payloadBytes);
    }
  }
}

/** Returns the offset of the next intact record, or the end of the segment. */
function nextRecord(segment: SegmentBytes, from: number): number {
  const record = emptyRecord();
  for (let at = from; at < segment.bytes.length; at += 8) {
    if (hasRecordHead(segment, at) && readRecord(segment, at, record)) return at;
  }
  return segment.bytes.length;
}
