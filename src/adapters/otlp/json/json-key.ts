import {
  COLON,
  type JsonReader,
  nextByte,
  noteUnknownKey,
  QUOTE,
  takeColon,
} from "./json-reader.ts";
import { type Field, fieldByKey, type Shape } from "./json-shape.ts";
import { copyKey } from "./json-string.ts";

export const MALFORMED = "malformed";
export const UNKNOWN = "unknown";

/** A key: of a field, or of none. */
export type Key = Field | typeof UNKNOWN | typeof MALFORMED;

/** Takes a key and its colon. */
export function takeKey(reader: JsonReader, shape: Shape): Key {
  nextByte(reader);
  return takePlainKey(reader, shape) ?? takeOtherKey(reader, shape);
}

function takeOtherKey(reader: JsonReader, shape: Shape): Key {
  const field = takeUsualKey(reader, shape) ?? takeAnyKey(reader, shape);
  return field === MALFORMED || takeColon(reader) ? field : MALFORMED;
}

/**
 * Takes a known key and its colon if they stand at `reader.at` as nearly every exporter writes
 * them: without escapes, and without white space in between. It compares the key itself, because
 * calls between small functions made up a third of the time of a body.
 */
function takePlainKey(reader: JsonReader, { byLetter }: Shape): Field | undefined {
  const { json } = reader;
  const keyAt = reader.at + 1;
  const alike = json[keyAt - 1] === QUOTE ? byLetter[json[keyAt]!] : undefined;
  if (alike === undefined) return undefined;
  for (let index = 0; index < alike.length; index += 1) {
    const field = alike[index]!;
    const { keyEnd } = field;
    let equal = 1;
    while (equal < keyEnd.length && json[keyAt + equal] === keyEnd[equal]) equal += 1;
    if (equal < keyEnd.length) continue;
    if (json[keyAt + equal] !== COLON) return undefined;
    reader.at = keyAt + equal + 1;
    return field;
  }
  return undefined;
}

/** Matches a known key without escapes. */
function takeUsualKey(reader: JsonReader, shape: Shape): Field | undefined {
  if (nextByte(reader) !== QUOTE) return undefined;
  const field = fieldByKey(shape, reader.json, reader.at + 1);
  if (field !== undefined) reader.at += 1 + field.keyEnd.length;
  return field;
}

/**
 * Matches any key, after resolving its escapes. It may then contain a quote, and only look like a
 * name up to there.
 */
function takeAnyKey(reader: JsonReader, shape: Shape): Key {
  const end = copyKey(reader);
  if (end < 0) return MALFORMED;
  const field = fieldByKey(shape, reader.wire, reader.wireEnd);
  if (field?.name.length === end - reader.wireEnd) return field;
  noteUnknownKey(reader, end);
  return UNKNOWN;
}

/**
 * Takes a known key without escapes, and its colon, in an object that has been read before. Returns
 * undefined for another key.
 */
export function takeKnownKey(reader: JsonReader, shape: Shape): Field | undefined {
  const plain = takePlainKey(reader, shape);
  if (plain !== undefined) return plain;
  const field = takeUsualKey(reader, shape);
  return field !== undefined && takeColon(reader) ? field : undefined;
}
