import type { Checksum } from "../../ports/disk.ts";
import type { SequenceRange } from "./sequence-ranges.ts";

/**
 * One record of a segment. It starts at a multiple of 8 bytes of the file; numbers are
 * little-endian, and sequences are doubles, which are exact below 2^53.
 *
 *    0 magic       u32    16 first sequence f64    32 value        f64    48 payload
 *    4 checksum    u32    24 span count     u32    40 synced bytes u32       zeros up to the
 *    8 payload     u32    28 span bytes     u32    44 offset       u32       next multiple of 8
 *   12 type, cause u8 u8
 *
 * The checksum covers everything from byte 8 to the end of the payload and starts from the salt of
 * the segment. So neither an older file's blocks nor bytes that a sender has shaped like a record
 * are taken for one, and `offset` makes a record valid only where it was written.
 *
 * `synced bytes` is how much of the segment was on stable storage when the record was written; in a
 * carried record, how much of the segment that it is about. It distinguishes damage from a torn
 * write: see `scan-segment.ts`.
 */
export interface LogRecord {
  type: number;
  /** The cause of a departure. */
  cause: number;
  payloadBytes: number;
  firstSequence: number;
  spanCount: number;
  /** Size of the spans as encoded `Span` messages. */
  spanBytes: number;
  /** Arrival time in Unix milliseconds of a request; number of the segment for the others. */
  value: number;
  syncedBytes: number;
}

export const RECORD_HEAD_BYTES = 48;
const RECORD_MAGIC = 0x4c_50_53_89;
const RECORD_CHECKED_FROM = 8;

/** The payload is an `ExportTraceServiceRequest` as it was received. */
export const REQUEST = 1;
/** Departed spans of one segment, as ranges of sequences in the payload. */
export const DEPARTURE = 2;
/** An older segment when this one was begun: its sequences and all departures from it. */
export const CARRIED = 3;
/** Ends a log that was closed. */
export const CLOSED = 4;

/** Makes checksums that are valid in one segment only. */
export interface Seal {
  readonly checksum: Checksum;
  readonly salt: number;
}

/** Bytes of a segment from an offset that is a multiple of 8. */
export interface SegmentBytes extends Seal {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offsetBytes: number;
}

export function segmentBytes(bytes: Uint8Array, offsetBytes: number, seal: Seal): SegmentBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes, view, offsetBytes, checksum: seal.checksum, salt: seal.salt };
}

/** Returns the size of a record in the file, with the zeros after it. */
export function recordBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEAD_BYTES + payloadBytes) / 8) * 8;
}

export function emptyRecord(): LogRecord {
  return {
    type: 0,
    cause: 0,
    payloadBytes: 0,
    firstSequence: 0,
    spanCount: 0,
    spanBytes: 0,
    value: 0,
    syncedBytes: 0,
  };
}

/** The fields of a new record, except the length of its payload. */
export interface RecordFields extends Readonly<Omit<LogRecord, "payloadBytes">> {
  /** The offset of the record in its file. */
  readonly offsetBytes: number;
}

/** Writes the head of a record at `at` of an array; the payload may be elsewhere. */
export function writeRecordHead(
  into: SegmentBytes,
  at: number,
  record: RecordFields,
  payload: Uint8Array,
): void {
  const { view } = into;
  view.setUint32(at, RECORD_MAGIC, true);
  view.setUint32(at + 8, payload.length, true);
  view.setUint32(at + 12, record.type | (record.cause << 8), true);
  view.setFloat64(at + 16, record.firstSequence, true);
  view.setUint32(at + 24, record.spanCount, true);
  view.setUint32(at + 28, record.spanBytes, true);
  view.setFloat64(at + 32, record.value, true);
  view.setUint32(at + 40, record.syncedBytes, true);
  view.setUint32(at + 44, record.offsetBytes, true);
  view.setUint32(at + 4, checksumOf(into, at, payload), true);
}

/** Reads the record at `at` into `record`; returns false without an intact one. */
export function readRecord(from: SegmentBytes, at: number, record: LogRecord): boolean {
  const { view, bytes } = from;
  if (!hasRecordHead(from, at)) return false;
  const payloadBytes = view.getUint32(at + 8, true);
  const payloadAt = at + RECORD_HEAD_BYTES;
  if (payloadBytes > bytes.length - payloadAt) return false;
  const payload = bytes.subarray(payloadAt, payloadAt + payloadBytes);
  if (view.getUint32(at + 4, true) !== checksumOf(from, at, payload)) return false;
  readHead(view, at, record);
  return true;
}

/** Reports cheaply whether a record may begin at `at`; the checksum must confirm it. */
export function hasRecordHead({ view, bytes, offsetBytes }: SegmentBytes, at: number): boolean {
  if (at + RECORD_HEAD_BYTES > bytes.length) return false;
  return (
    view.getUint32(at, true) === RECORD_MAGIC && view.getUint32(at + 44, true) === offsetBytes + at
  );
}

/** Reads the head of a record that has been checked before. */
export function readHead(view: DataView, at: number, record: LogRecord): void {
  record.payloadBytes = view.getUint32(at + 8, true);
  record.type = view.getUint8(at + 12);
  record.cause = view.getUint8(at + 13);
  record.firstSequence = view.getFloat64(at + 16, true);
  record.spanCount = view.getUint32(at + 24, true);
  record.spanBytes = view.getUint32(at + 28, true);
  record.value = view.getFloat64(at + 32, true);
  record.syncedBytes = view.getUint32(at + 40, true);
}

function checksumOf({ bytes, checksum, salt }: SegmentBytes, at: number, payload: Uint8Array) {
  const head = bytes.subarray(at + RECORD_CHECKED_FROM, at + RECORD_HEAD_BYTES);
  return checksum(payload, checksum(head, salt));
}

const RANGE_BYTES = 16;

/** Returns the size of a record with so many ranges. */
export function encodedRangesBytes(rangeCount: number): number {
  return recordBytes(rangeCount * RANGE_BYTES);
}

export function encodeRanges(ranges: readonly SequenceRange[]): Uint8Array {
  const payload = new Uint8Array(ranges.length * RANGE_BYTES);
  const view = new DataView(payload.buffer);
  for (const [index, { first, end }] of ranges.entries()) {
    view.setFloat64(index * RANGE_BYTES, first, true);
    view.setFloat64(index * RANGE_BYTES + 8, end, true);
  }
  return payload;
}

export function decodeRanges(view: DataView, at: number, payloadBytes: number): SequenceRange[] {
  return Array.from({ length: payloadBytes / RANGE_BYTES }, (_, index) => ({
    first: view.getFloat64(at + index * RANGE_BYTES, true),
    end: view.getFloat64(at + index * RANGE_BYTES + 8, true),
  }));
}

/**
 * A segment is a file of the log: a header followed by records.
 *
 *    spans-000000000042-9f3a5c7e.v1
 *          number       salt     format version
 *
 *    0 magic          u32    16 first sequence  f64    32 run id   16 bytes
 *    4 checksum       u32    24 end of previous f64    48 created  f64, Unix milliseconds
 *    8 format version u32                              56 zeros
 *   12 opening bytes  u32
 *
 * The name contains what is needed even if the header is damaged: the order of the segments, the
 * salt of their checksums, and the format. Numbers ascend and are not reused while a later segment
 * exists.
 *
 * `end of previous` is where the accepted spans of all older segments end; later spans in them were
 * never acknowledged. `CARRIED` records about the older segments follow the header; together they
 * are the opening.
 */
export interface SegmentHeader {
  readonly firstSequence: number;
  readonly previousEnd: number;
  readonly openingBytes: number;
  /** 32 hexadecimal digits. */
  readonly runId: string;
  readonly createdUnixMs: number;
}

export interface SegmentName {
  readonly number: number;
  readonly salt: number;
}

export const SEGMENT_HEADER_BYTES = 64;
export const FORMAT_VERSION = 1;
const HEADER_MAGIC = 0x53_50_53_89;
const HEADER_CHECKED_FROM = 8;

const NAME = /^spans-(\d{12})-([\da-f]{8})\.v(\d+)$/;

export function segmentFileName({ number, salt }: SegmentName): string {
  const digits = String(number).padStart(12, "0");
  return `spans-${digits}-${salt.toString(16).padStart(8, "0")}.v${FORMAT_VERSION}`;
}

/** Parses the name of a segment; returns undefined for another file. */
export function parseSegmentName(name: string): (SegmentName & { version: number }) | undefined {
  const [, number, salt, version] = NAME.exec(name) ?? [];
  if (number === undefined || salt === undefined) return undefined;
  return { number: Number(number), salt: Number.parseInt(salt, 16), version: Number(version) };
}

export function encodeSegmentHeader(header: SegmentHeader, seal: Seal): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER_MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.openingBytes, true);
  view.setFloat64(16, header.firstSequence, true);
  view.setFloat64(24, header.previousEnd, true);
  bytes.set(Uint8Array.fromHex(header.runId), 32);
  view.setFloat64(48, header.createdUnixMs, true);
  view.setUint32(4, seal.checksum(bytes.subarray(HEADER_CHECKED_FROM), seal.salt), true);
  return bytes;
}

/** Reads the header of a file; returns undefined if it is damaged or incomplete. */
export function decodeSegmentHeader(file: Uint8Array, seal: Seal): SegmentHeader | undefined {
  if (file.length < SEGMENT_HEADER_BYTES) return undefined;
  const bytes = file.subarray(0, SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== HEADER_MAGIC) return undefined;
  const checksum = seal.checksum(bytes.subarray(HEADER_CHECKED_FROM), seal.salt);
  if (view.getUint32(4, true) !== checksum) return undefined;
  return {
    openingBytes: view.getUint32(12, true),
    firstSequence: view.getFloat64(16, true),
    previousEnd: view.getFloat64(24, true),
    runId: bytes.subarray(32, 48).toHex(),
    createdUnixMs: view.getFloat64(48, true),
  };
}
