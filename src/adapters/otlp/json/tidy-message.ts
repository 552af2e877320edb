import { nextField, point, scanFrom } from "../../../domain/wire/field-scan.ts";
import { writeVarint } from "../../../domain/wire/scalars.ts";
import type { Field, Shape } from "./json-shape.ts";

/** A message within `wire`. */
interface Message {
  readonly wire: Uint8Array;
  readonly from: number;
  readonly end: number;
}

/** A message that has been put in order: its bytes up to `end`. It never exceeds the original. */
export interface TidyMessage {
  readonly bytes: Uint8Array;
  end: number;
}

/** Shared by all calls, none of which contains another. */
const scan = scanFrom(new Uint8Array(0), 0, 0);

/**
 * Returns an equal message whose known fields are in the order of their numbers, and in which only
 * lists occur again: the last value of a scalar applies, and the parts of a message are joined. Of
 * a oneof, only the last member remains.
 */
export function tidyMessage(shape: Shape, wire: Uint8Array, at: number, end: number): TidyMessage {
  const from = shape.isOneof ? lastMemberAt(shape, wire, at, end) : at;
  const message = { wire, from, end };
  const tidy = { bytes: new Uint8Array(new ArrayBuffer(end - from)), end: 0 };
  const present = presentFields(message);
  for (const field of shape.fields) {
    if ((present & (1 << field.fieldNumber)) === 0) continue;
    if (field.isRepeated) copyAll(tidy, field, message);
    else if (typeof field.value === "string") copyLast(tidy, field, message);
    else copyJoined(tidy, field, message);
  }
  return tidy;
}

/** Returns the start of the first field after which a oneof has no other member. */
function lastMemberAt(shape: Shape, wire: Uint8Array, at: number, end: number): number {
  let last = 0;
  let from = at;
  point(scan, wire, at, end);
  for (let fieldAt = at; nextField(scan); fieldAt = scan.at) {
    const { fieldNumber } = scan;
    if (fieldNumber === last || shape.byNumber[fieldNumber] === undefined) continue;
    from = fieldAt;
    last = fieldNumber;
  }
  return from;
}

/** Returns a bit set of the fields that are present: bit n for field n. None exceeds 31. */
function presentFields(message: Message): number {
  let present = 0;
  point(scan, message.wire, message.from, message.end);
  while (nextField(scan)) {
    if (scan.fieldNumber < 32) present |= 1 << scan.fieldNumber;
  }
  return present;
}

function copyAll(tidy: TidyMessage, { fieldNumber }: Field, message: Message): void {
  point(scan, message.wire, message.from, message.end);
  for (let fieldAt = message.from; nextField(scan); fieldAt = scan.at) {
    if (scan.fieldNumber === fieldNumber) copy(tidy, message, fieldAt, scan.at);
  }
}

function copyLast(tidy: TidyMessage, { fieldNumber }: Field, message: Message): void {
  let from = 0;
  let end = 0;
  point(scan, message.wire, message.from, message.end);
  for (let fieldAt = message.from; nextField(scan); fieldAt = scan.at) {
    if (scan.fieldNumber !== fieldNumber) continue;
    from = fieldAt;
    end = scan.at;
  }
  copy(tidy, message, from, end);
}

/** Copies the values of a field as one, with one tag and one length. */
function copyJoined(tidy: TidyMessage, { fieldNumber, tag }: Field, message: Message): void {
  let lengthBytes = 0;
  point(scan, message.wire, message.from, message.end);
  while (nextField(scan)) {
    if (scan.fieldNumber === fieldNumber) lengthBytes += scan.at - scan.valueAt;
  }
  tidy.end = writeVarint(tidy.bytes, writeVarint(tidy.bytes, tidy.end, tag), lengthBytes);
  point(scan, message.wire, message.from, message.end);
  while (nextField(scan)) {
    if (scan.fieldNumber === fieldNumber) copy(tidy, message, scan.valueAt, scan.at);
  }
}

function copy(tidy: TidyMessage, { wire }: Message, from: number, end: number): void {
  for (let at = from; at < end; at += 1) tidy.bytes[tidy.end + at - from] = wire[at]!;
  tidy.end += end - from;
}
