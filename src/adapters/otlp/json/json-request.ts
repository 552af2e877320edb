import { isUtf8 } from "node:buffer";
import {
  beginBody,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  countEmpty,
  createJsonReader,
  endBody,
  fail,
  failSeparator,
  type JsonReader,
  nextByte,
  noteUnknownKey,
  NULL_BEGIN,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  readDocument,
  takeByte,
  takeColon,
  takeWire,
  takeWord,
} from "./json-reader.ts";
import { failValue, SCALAR_READERS } from "./json-scalar-reader.ts";
import { type Field, fieldByKey, REQUEST, type Shape } from "./json-shape.ts";
import { skipValue } from "./json-skip.ts";
import { copyKey } from "./json-string.ts";

/** The result. `message` tells the sender what is wrong, where, and what would be right. */
export type JsonReading =
  | {
      readonly ok: true;
      readonly request: Uint8Array<ArrayBuffer>;
      /** The keys that OTLP does not define; empty without any. */
      readonly unknown: string;
    }
  | { readonly ok: false; readonly message: string };

export interface JsonLimits {
  /** The depth of nested messages, the request itself being the first; as in the wire walk. */
  readonly nestingDepth: number;
}

/**
 * Converts an OTLP/JSON body to protobuf, from bytes to bytes in one pass. Parsing to objects would
 * take hundreds of megabytes for 20 MiB of empty ones, and would round 64-bit integers.
 *
 * Accepts what OTLP/JSON allows, and nothing that is not JSON in valid UTF-8. Ignores a byte order
 * mark at the start, as RFC 8259, section 8.1, permits. The wire walk checks the spans later, as in
 * any request, so an identifier that is not hex costs that span and no other.
 *
 * Duplicate keys mean what duplicate fields mean in protobuf: the last scalar counts, messages
 * merge, lists are joined, and the last member of a value counts.
 *
 * Throws for no body; recursion is as deep as `nestingDepth` allows. The request is at most an
 * eighth longer than the body, usually half as long, and is a view of fresh memory.
 */
export function requestFromJson(body: Uint8Array, { nestingDepth }: JsonLimits): JsonReading {
  if (!isUtf8(body)) return { ok: false, message: "the body is not valid UTF-8" };
  const reader = createJsonReader(body, nestingDepth);
  const isRead = readDocument(reader, () => readMessage(reader, REQUEST, 1));
  return isRead
    ? { ok: true, request: takeWire(reader), unknown: unknownText(reader) }
    : { ok: false, message: reader.fault };
}

function unknownText({ unknownKeyCount, unknownKeys }: JsonReader): string {
  if (unknownKeyCount === 0) return "";
  return `unknown keys: ${[...unknownKeys].join(", ") || unknownKeyCount}`;
}

/** Reads the object that starts at `reader.at`. */
function readMessage(reader: JsonReader, shape: Shape, depth: number): boolean {
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACE)) return true;
  do {
    if (!readMember(reader, shape, depth)) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACE) || failSeparator(reader, "}");
}

function readMember(reader: JsonReader, shape: Shape, depth: number): boolean {
  const field = takeUsualKey(reader, shape) ?? takeAnyKey(reader, shape);
  if (field === MALFORMED || !takeColon(reader)) return false;
  return field === UNKNOWN ? skipValue(reader) : readField(reader, field, depth);
}

const MALFORMED = "malformed";
const UNKNOWN = "unknown";

/** The fast path: matches a known key without escapes as it stands. */
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
function takeAnyKey(reader: JsonReader, shape: Shape): Field | typeof UNKNOWN | typeof MALFORMED {
  const end = copyKey(reader);
  if (end < 0) return MALFORMED;
  const field = fieldByKey(shape, reader.wire, reader.wireEnd);
  if (field?.name.length === end - reader.wireEnd) return field;
  noteUnknownKey(reader, end);
  return UNKNOWN;
}

function readField(reader: JsonReader, field: Field, depth: number): boolean {
  const byte = nextByte(reader);
  if (byte === NULL_BEGIN) return takeWord(reader, "null") || failNull(reader);
  if (!field.isRepeated) return readValue(reader, field, depth);
  if (byte === OPEN_BRACKET) return readList(reader, field, depth);
  return fail(reader, `"${field.name}" must be a list`);
}

function failNull(reader: JsonReader): false {
  return fail(reader, "expected a JSON value");
}

function readList(reader: JsonReader, field: Field, depth: number): boolean {
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACKET)) return true;
  do {
    if (!readValue(reader, field, depth)) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACKET) || failSeparator(reader, "]");
}

/** Reads a scalar or a message: the value of a field, or one of its list. */
function readValue(reader: JsonReader, field: Field, depth: number): boolean {
  const byte = nextByte(reader);
  const { value, tag } = field;
  if (typeof value === "string") return SCALAR_READERS[value](reader, field);
  if (byte !== OPEN_BRACE) return failValue(reader, field, "an object");
  if (depth >= reader.nestingDepth) return fail(reader, "messages are nested too deeply");
  const bodyAt = beginBody(reader, tag);
  if (!readMessage(reader, value(), depth + 1)) return false;
  if (reader.wireEnd === bodyAt && !countEmpty(reader)) return false;
  endBody(reader, bodyAt, reader.wireEnd);
  return true;
}
