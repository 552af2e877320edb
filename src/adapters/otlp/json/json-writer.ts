import type { ScalarKind, Field, Shape } from "./json-shape.ts";
import { type FieldScan as OnePartScan, stepField } from "../../../domain/wire/field-scan.ts";

/**
 * The parts of one encoded message. A field that holds one message may occur several times, and
 * then all occurrences together form it.
 *
 *     bytes   ....AAAAAA.......BBBB.....      parts  [4, 10, 17, 21]
 */
export interface MessageBytes {
  readonly bytes: Buffer;
  /** The start and end of each part, alternating. */
  readonly parts: readonly number[];
}

/**
 * A scan over all parts of a message. It extends the domain's scan, which knows one part: the
 * current one.
 */
interface FieldScan extends OnePartScan {
  readonly message: MessageBytes;
  partIndex: number;
}

export function scanFields(message: MessageBytes): FieldScan {
  const [at = 0, end = 0] = message.parts;
  return { message, partIndex: 0, bytes: message.bytes, at, end, fieldNumber: 0, valueAt: at };
}

/**
 * Steps to the next field; returns false at the end. Needs bytes that the wire walk has accepted.
 */
export function nextField(scan: FieldScan): boolean {
  while (scan.at === scan.end) {
    if (!nextPart(scan)) return false;
  }
  stepField(scan);
  return true;
}

/** Returns the value of the current field, which must hold a message. */
export function valueOf({ message, valueAt, at }: FieldScan): MessageBytes {
  return { bytes: message.bytes, parts: [valueAt, at] };
}

export function lengthOf({ parts }: MessageBytes): number {
  return parts.reduce((sum, offset, index) => (index % 2 === 0 ? sum - offset : sum + offset), 0);
}

function nextPart(scan: FieldScan): boolean {
  const { parts } = scan.message;
  scan.partIndex += 2;
  scan.at = parts[scan.partIndex] ?? scan.end;
  scan.end = parts[scan.partIndex + 1] ?? scan.end;
  return scan.partIndex < parts.length;
}

/** Returns the JSON of a scalar value: the bytes from `at` to `end`, without tag and length. */
type ScalarText = (bytes: Buffer, at: number, end: number) => string;

/**
 * The writers of all scalars. Source: proto3 JSON mapping, and the OTLP specification for
 * identifiers.
 */
export const SCALAR_TEXT: Readonly<Record<ScalarKind, ScalarText>> = {
  // Invalid UTF-8 becomes U+FFFD: a broken string of a sender must not break the answer.
  string: (bytes, at, end) => JSON.stringify(bytes.toString("utf8", at, end)),
  hex: (bytes, at, end) => `"${bytes.toString("hex", at, end)}"`,
  base64: (bytes, at, end) => `"${bytes.toString("base64", at, end)}"`,
  bool: (bytes, at, end) => (varint64(bytes, at, end) === 0n ? "false" : "true"),
  double: (bytes, at) => doubleText(bytes.readDoubleLE(at)),
  int32: (bytes, at, end) => String(BigInt.asIntN(32, varint64(bytes, at, end))),
  uint32: (bytes, at, end) => String(BigInt.asUintN(32, varint64(bytes, at, end))),
  // Quoted, because most readers would round a JSON number.
  int64: (bytes, at, end) => `"${BigInt.asIntN(64, varint64(bytes, at, end))}"`,
  fixed32: (bytes, at) => String(bytes.readUInt32LE(at)),
  fixed64: (bytes, at) => `"${bytes.readBigUInt64LE(at)}"`,
};

/** The texts of default values; outside a oneof, such a field is left out. */
export const DEFAULT_TEXT: Readonly<Record<ScalarKind, string>> = {
  string: '""',
  hex: '""',
  base64: '""',
  bool: "false",
  double: "0",
  int32: "0",
  uint32: "0",
  int64: '"0"',
  fixed32: "0",
  fixed64: '"0"',
};

function varint64(bytes: Buffer, at: number, end: number): bigint {
  let value = 0n;
  for (let index = end - 1; index >= at; index -= 1) {
    value = (value << 7n) | BigInt((bytes[index] ?? 0) & 0x7f);
  }
  return value;
}

/**
 * Writes a double. JSON cannot express three of them, and `JSON.stringify` drops the sign of zero.
 */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

/** The size of a chunk: its overhead is negligible, and it is made quickly. */
const CHUNK_LENGTH = 64 * 1024;

/** Collects pieces of text into chunks of UTF-8. No piece ends within a character. */
export class JsonText {
  private text = "";
  private chunks: Uint8Array<ArrayBuffer>[] = [];
  private readonly encoder = new TextEncoder();

  add(piece: string): void {
    this.text += piece;
    if (this.text.length >= CHUNK_LENGTH) this.endChunk();
  }

  endChunk(): void {
    if (this.text === "") return;
    this.chunks.push(this.encoder.encode(this.text));
    this.text = "";
  }

  get hasChunks(): boolean {
    return this.chunks.length > 0;
  }

  takeChunks(): Uint8Array<ArrayBuffer>[] {
    const { chunks } = this;
    this.chunks = [];
    return chunks;
  }
}

/**
 * Returns the fields that are present in a message, by ascending number, each once. JSON groups the
 * values of one name, which may lie anywhere on the wire, so a writer scans the message once for
 * each field. A scan skips nested messages, and allocates nothing.
 */
export function presentFields(shape: Shape, message: MessageBytes): readonly Field[] {
  if (shape.isOneof) return lastMember(shape, message);
  const present = presentNumbers(message);
  return shape.fields.filter(({ fieldNumber }) => (present & (1 << fieldNumber)) !== 0);
}

/**
 * Returns a bit set of the fields that are present: bit n for field n. No known field exceeds 31.
 */
function presentNumbers(message: MessageBytes): number {
  const scan = scanFields(message);
  let present = 0;
  while (nextField(scan)) {
    if (scan.fieldNumber < 32) present |= 1 << scan.fieldNumber;
  }
  return present;
}

/** Returns the last member of a oneof, the only one that counts. */
function lastMember(shape: Shape, message: MessageBytes): readonly Field[] {
  const scan = scanFields(message);
  let last: Field | undefined;
  while (nextField(scan)) last = shape.byNumber[scan.fieldNumber] ?? last;
  return last === undefined || last.isProfilesOnly ? [] : [last];
}

/**
 * Returns all occurrences of a field that holds one message, which together form it. In a oneof,
 * only those after the last occurrence of another member, which unsets earlier ones.
 */
export function mergedOccurrences(
  shape: Shape,
  { fieldNumber }: Field,
  message: MessageBytes,
): MessageBytes {
  const scan = scanFields(message);
  const parts: number[] = [];
  while (nextField(scan)) {
    if (scan.fieldNumber === fieldNumber) parts.push(scan.valueAt, scan.at);
    else if (shape.isOneof && shape.byNumber[scan.fieldNumber] !== undefined) parts.length = 0;
  }
  return { bytes: message.bytes, parts };
}
