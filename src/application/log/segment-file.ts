import type { Seal } from "./record.ts";

/**
 * A segment: one file of the log, begun by a header and followed by records.
 *
 *    spans-000000000042-9f3a5c7e.v1
 *          number       salt     format version
 *
 *    0 magic          u32    16 first sequence  f64    32 run id   16 bytes
 *    4 checksum       u32    24 end of previous f64    48 created  f64, Unix milliseconds
 *    8 format version u32                              56 zeros
 *   12 opening bytes  u32
 *
 * The name carries what must be known even when the header is damaged: the order of the segments,
 * the salt of their checksums, and the format. Numbers ascend and are not used again while a later
 * segment exists.
 *
 * `end of previous` is where the accepted spans of all older segments end; what they hold from
 * there on was never acknowledged. What else is known of them follows in `CARRIED` records, which
 * with the header are the opening.
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
const MAGIC = 0x53_50_53_89;
const CHECKED_FROM = 8;

const NAME = /^spans-(\d{12})-([\da-f]{8})\.v(\d+)$/;

export function segmentFileName({ number, salt }: SegmentName): string {
  const digits = String(number).padStart(12, "0");
  return `spans-${digits}-${salt.toString(16).padStart(8, "0")}.v${FORMAT_VERSION}`;
}

/** The parts of a segment's name; undefined for a file that is not one. */
export function parseSegmentName(name: string): (SegmentName & { version: number }) | undefined {
  const [, number, salt, version] = NAME.exec(name) ?? [];
  if (number === undefined || salt === undefined) return undefined;
  return { number: Number(number), salt: Number.parseInt(salt, 16), version: Number(version) };
}

export function encodeSegmentHeader(header: SegmentHeader, seal: Seal): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.openingBytes, true);
  view.setFloat64(16, header.firstSequence, true);
  view.setFloat64(24, header.previousEnd, true);
  bytes.set(Uint8Array.fromHex(header.runId), 32);
  view.setFloat64(48, header.createdUnixMs, true);
  view.setUint32(4, seal.checksum(bytes.subarray(CHECKED_FROM), seal.salt), true);
  return bytes;
}

/** The header at the beginning of a file; undefined when it is damaged or not all there. */
export function decodeSegmentHeader(file: Uint8Array, seal: Seal): SegmentHeader | undefined {
  if (file.length < SEGMENT_HEADER_BYTES) return undefined;
  const bytes = file.subarray(0, SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const checksum = seal.checksum(bytes.subarray(CHECKED_FROM), seal.salt);
  if (view.getUint32(4, true) !== checksum) return undefined;
  return {
    openingBytes: view.getUint32(12, true),
    firstSequence: view.getFloat64(16, true),
    previousEnd: view.getFloat64(24, true),
    runId: bytes.subarray(32, 48).toHex(),
    createdUnixMs: view.getFloat64(48, true),
  };
}
