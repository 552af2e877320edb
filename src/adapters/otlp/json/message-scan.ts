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
export interface FieldScan extends OnePartScan {
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
