import { scanNumber } from "./json-number.ts";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  countEmpty,
  fail,
  failSeparator,
  type JsonReader,
  nextByte,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  takeByte,
  takeColon,
  takeWord,
} from "./json-reader.ts";
import { copyKey, copyString } from "./json-string.ts";

/**
 * Skips one value of any form, for a key that OTLP does not define. It must still be valid JSON. To
 * avoid recursion, this is a loop with a fixed stack of open brackets, so such a value may nest as
 * deeply as messages may.
 */
export function skipValue(reader: JsonReader): boolean {
  let depth = 0;
  do {
    if (takesOpen(reader)) {
      if (!open(reader, depth)) return false;
      depth += 1;
      // It has contents, unless it ends at once.
      if (!takeClose(reader, depth)) {
        if (!takeKeyIfAny(reader, depth)) return false;
        continue;
      }
      depth -= 1;
      if (!countEmpty(reader)) return false;
    } else if (!skipScalar(reader)) return false;
    while (depth > 0 && takeClose(reader, depth)) depth -= 1;
    if (depth > 0 && !takeNext(reader, depth)) return false;
  } while (depth > 0);
  return true;
}

function takesOpen(reader: JsonReader): boolean {
  const byte = nextByte(reader);
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

function open(reader: JsonReader, depth: number): boolean {
  if (depth === reader.nestingDepth) return fail(reader, "an unknown field is nested too deeply");
  reader.isObject[depth] = reader.json[reader.at] === OPEN_BRACE ? 1 : 0;
  reader.at += 1;
  return true;
}

function skipScalar(reader: JsonReader): boolean {
  if (reader.json[reader.at] === QUOTE) return copyString(reader, reader.wireEnd) >= 0;
  if (takeWord(reader, "true") || takeWord(reader, "false") || takeWord(reader, "null"))
    return true;
  const end = scanNumber(reader.number, reader.json, reader.at);
  if (end < 0) return fail(reader, "expected a JSON value");
  reader.at = end;
  return true;
}

function takeClose(reader: JsonReader, depth: number): boolean {
  return takeByte(reader, isInObject(reader, depth) ? CLOSE_BRACE : CLOSE_BRACKET);
}

/** Consumes the comma before the next value, and its key. */
function takeNext(reader: JsonReader, depth: number): boolean {
  if (takeByte(reader, COMMA)) return takeKeyIfAny(reader, depth);
  return failSeparator(reader, isInObject(reader, depth) ? "}" : "]");
}

function takeKeyIfAny(reader: JsonReader, depth: number): boolean {
  return !isInObject(reader, depth) || (copyKey(reader) >= 0 && takeColon(reader));
}

function isInObject({ isObject }: JsonReader, depth: number): boolean {
  return isObject[depth - 1] === 1;
}
