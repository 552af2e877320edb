import { type FieldScan as OnePartScan, stepField } from "../../../domain/wire/field-scan.ts";

/**
 * Where one encoded message lies. A field that holds one message may occur several times, and
 * then means all of them as if they were one: so a message may lie in several parts.
 *
 *     bytes   ....AAAAAA.......BBBB.....      parts  [4, 10, 17, 21]
 */
export interface MessageBytes {
  readonly bytes: Buffer;
  /** Begin and end of each part, by turns. */
  readonly parts: readonly number[];
}

/**
 * A scan over all parts of a message. It says where it is in the words of the domain's scan, which
 * knows of one part only: the one that it is in.
 */
export interface FieldScan extends OnePartScan {
  readonly message: MessageBytes;
  partIndex: number;
}

export function scanFields(message: MessageBytes): FieldScan {
  const [at = 0, end = 0] = message.parts;
  return { message, partIndex: 0, bytes: message.bytes, at, end, fieldNumber: 0, valueAt: at };
}

/** Steps to the next field; false at the end. For bytes that the wire walk has accepted. */
export function nextField(scan: FieldScan): boolean {
  while (scan.at === scan.end) {
    if (!nextPart(scan)) return false;
  }
  stepField(scan);
  return true;
}

/** The value of the field that `scan` is at, when it holds a message. */
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
