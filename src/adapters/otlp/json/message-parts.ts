import type { Field, Shape } from "./json-shape.ts";
import { type FieldScan as OnePartScan, stepField } from "../../../domain/wire/field-scan.ts";

/**
 * The parts of one encoded message. A field that holds one message may occur several times, and
 * then all occurrences together form it.
 *
 *     bytes   ....AAAAAA.......BBBB.....      parts  [4, 10, 17, 21]
 */
export interface MessageBytes {
  readonly bytes: Uint8Array;
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

/** Returns a message in one part, which is copied if it has several. */
export function joinedParts(message: MessageBytes): MessageBytes {
  const { bytes, parts } = message;
  if (parts.length === 2) return message;
  const pieces: Uint8Array[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    pieces.push(bytes.subarray(parts[index], parts[index + 1]));
  }
  const whole = Buffer.concat(pieces);
  return { bytes: whole, parts: [0, whole.length] };
}

function nextPart(scan: FieldScan): boolean {
  const { parts } = scan.message;
  scan.partIndex += 2;
  scan.at = parts[scan.partIndex] ?? scan.end;
  scan.end = parts[scan.partIndex + 1] ?? scan.end;
  return scan.partIndex < parts.length;
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

/** Returns the last occurrence of a field that is present: the one that applies to a scalar. */
export function lastOccurrence(
  { fieldNumber }: Field,
  message: MessageBytes,
): Pick<FieldScan, "bytes" | "valueAt" | "at"> {
  const scan = scanFields(message);
  const last = { bytes: message.bytes, valueAt: 0, at: 0 };
  while (nextField(scan)) {
    if (scan.fieldNumber !== fieldNumber) continue;
    last.valueAt = scan.valueAt;
    last.at = scan.at;
  }
  return last;
}
