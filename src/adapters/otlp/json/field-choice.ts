import { type MessageBytes, nextField, scanFields } from "./message-scan.ts";
import type { Field, Shape } from "./json-shape.ts";

/**
 * The fields of a message that JSON shows, in order of their numbers, each once. The fields of one
 * name belong together there, and may lie anywhere on the wire: so whoever writes them scans the
 * message once for each. A scan steps over what is nested, and keeps nothing.
 */
export function presentFields(shape: Shape, message: MessageBytes): readonly Field[] {
  if (shape.isOneof) return lastMember(shape, message);
  const present = presentNumbers(message);
  return shape.fields.filter(({ fieldNumber }) => (present & (1 << fieldNumber)) !== 0);
}

/** Bit n is set when field n occurs. No field of ours has a number beyond 31. */
function presentNumbers(message: MessageBytes): number {
  const scan = scanFields(message);
  let present = 0;
  while (nextField(scan)) {
    if (scan.fieldNumber < 32) present |= 1 << scan.fieldNumber;
  }
  return present;
}

/** Of a oneof only the member that came last counts. */
function lastMember(shape: Shape, message: MessageBytes): readonly Field[] {
  const scan = scanFields(message);
  let last: Field | undefined;
  while (nextField(scan)) last = shape.byNumber[scan.fieldNumber] ?? last;
  return last === undefined || last.isProfilesOnly ? [] : [last];
}

/**
 * All occurrences of a field that holds one message, which mean that message together. In a oneof,
 * those after the last occurrence of another member, which unset the ones before.
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
