import { nextField, point, scanFrom } from "../../../domain/wire/field-scan.ts";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./json-reader.ts";
import { type FieldValue, isDefault, writeScalar } from "./json-scalar-writer.ts";
import { writePlainAttribute } from "./json-plain-attribute.ts";
import { type Field, type Shape, SHAPES } from "./json-shape.ts";
import { addByte, type JsonWriter, readFrom, reserve } from "./json-writer.ts";
import { tidyMessage } from "./tidy-message.ts";

/** Used between two calls only, so that a message needs no scan of its own. */
const scan = scanFrom(new Uint8Array(0), 0, 0);

/** Writes the message from `at` to `end` of the wire as an object, in one step. */
export function writeMessage(writer: JsonWriter, shape: Shape, at: number, end: number): void {
  if (shape === SHAPES.KeyValue && writePlainAttribute(writer, at, end)) return;
  addByte(writer, OPEN_BRACE);
  writeMembers(writer, shape, at, end);
  addByte(writer, CLOSE_BRACE);
}

/**
 * Writes the members of a message, as part of an object. Nearly every encoder writes its fields in
 * the order of JSON, so they are written one after the other; others are put in order first.
 */
export function writeMembers(writer: JsonWriter, shape: Shape, at: number, end: number): void {
  const { wire, wireWords } = writer;
  if (isTidy(shape, wire, at, end)) return writeInOrder(writer, shape, at, end);
  const tidy = tidyMessage(shape, wire, at, end);
  readFrom(writer, tidy.bytes);
  writeInOrder(writer, shape, 0, tidy.end);
  writer.wire = wire;
  writer.wireWords = wireWords;
}

/** Reports whether the fields are in order, and only those that are lists occur again. */
function isTidy(shape: Shape, wire: Uint8Array, at: number, end: number): boolean {
  let last = 0;
  point(scan, wire, at, end);
  while (nextField(scan)) {
    const { fieldNumber } = scan;
    if (fieldNumber < last || (shape.isOneof && last > 0)) return false;
    if (fieldNumber === last && shape.byNumber[fieldNumber]?.isRepeated !== true) return false;
    last = fieldNumber;
  }
  return true;
}

function writeInOrder(writer: JsonWriter, shape: Shape, from: number, end: number): void {
  let isFirst = true;
  let list: Field | undefined;
  for (let at = from; at < end;) {
    point(scan, writer.wire, at, end);
    nextField(scan);
    const { fieldNumber, valueAt, at: next } = scan;
    const field = shape.byNumber[fieldNumber];
    at = next;
    if (field === undefined || isLeftOut(shape, field, scan)) continue;
    if (field === list) addByte(writer, COMMA);
    else {
      if (list !== undefined) addByte(writer, CLOSE_BRACKET);
      addKey(writer, field, isFirst);
      list = field.isRepeated ? field : undefined;
    }
    isFirst = false;
    writeValue(writer, field.value, valueAt, at);
  }
  if (list !== undefined) addByte(writer, CLOSE_BRACKET);
}

/** Reports whether a field has no meaning, or only the default value of its kind. */
export function isLeftOut(shape: Shape, field: Field, found: FieldValue): boolean {
  if (shape.isOneof || field.isRepeated || typeof field.value !== "string") {
    return field.isProfilesOnly;
  }
  return isDefault(field.value, found);
}

/** Writes the value of a field, or of an element of a list. */
export function writeValue(
  writer: JsonWriter,
  value: Field["value"],
  at: number,
  end: number,
): void {
  if (typeof value === "string") writeScalar(writer, value, at, end);
  else writeMessage(writer, value, at, end);
}

/** Adds the key of a member, and the bracket of a list. */
export function addKey(writer: JsonWriter, { keyEnd, isRepeated }: Field, isFirst: boolean): void {
  reserve(writer, keyEnd.length + 4);
  const { json } = writer;
  const quoteAt = isFirst ? writer.jsonEnd : writer.jsonEnd + 1;
  const colonAt = quoteAt + 1 + keyEnd.length;
  if (!isFirst) json[writer.jsonEnd] = COMMA;
  json[quoteAt] = QUOTE;
  for (let index = 0; index < keyEnd.length; index += 1) json[quoteAt + 1 + index] = keyEnd[index]!;
  json[colonAt] = COLON;
  writer.jsonEnd = colonAt + 1;
  if (isRepeated) addByte(writer, OPEN_BRACKET);
}
