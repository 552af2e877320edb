import { isUtf8 } from "node:buffer";
import {
  beginBody,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
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

/** `message` is for the sender: what is wrong, where, and what would be right. */
export type JsonReading =
  | {
      readonly ok: true;
      readonly request: Uint8Array<ArrayBuffer>;
      /** Which keys OTLP does not have; empty where it has all of them. */
      readonly unknown: string;
    }
  | { readonly ok: false; readonly message: string };

export interface JsonLimits {
  /** Messages within messages, the request itself being the first; as for the wire walk. */
  readonly nestingDepth: number;
}

/**
 * The protobuf of an OTLP/JSON body, from bytes to bytes in one pass. Parsed to objects first, 20
 * MiB of empty ones would take hundreds of megabytes, and 64-bit integers would be rounded.
 *
 * Takes what OTLP/JSON asks for, and nothing that is not JSON: no byte that is not UTF-8. A byte
 * order mark at the beginning is ignored, as RFC 8259, section 8.1, allows. Whether its spans are
 * valid is for the wire walk to say, which reads the result as it reads any request. So an
 * identifier that is not hex costs a sender that span, and no other.
 *
 * Keys that occur twice mean what the same fields twice mean in protobuf: the last scalar counts,
 * messages merge, lists are joined, and of a value's kinds the last one counts.
 *
 * Never throws, whatever the body; recursion is as deep as `nestingDepth` allows. The request takes
 * at most an eighth more bytes than the body, usually half of them, as a view of fresh memory.
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

/** The members of the object that begins at `reader.at`. */
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

/** The fast path: a key that OTLP has, without escapes, needs no look at what it is made of. */
function takeUsualKey(reader: JsonReader, shape: Shape): Field | undefined {
  if (nextByte(reader) !== QUOTE) return undefined;
  const field = fieldByKey(shape, reader.json, reader.at + 1);
  if (field !== undefined) reader.at += 1 + field.keyEnd.length;
  return field;
}

/** Without its escapes a key may hold a quote, and then ends behind the name that it looks like. */
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
  return fail(reader, "a JSON value must stand here");
}

function readList(reader: JsonReader, field: Field, depth: number): boolean {
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACKET)) return true;
  do {
    if (!readValue(reader, field, depth)) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACKET) || failSeparator(reader, "]");
}

/** A scalar or a message: the value of a field, or one of its values. */
function readValue(reader: JsonReader, field: Field, depth: number): boolean {
  const byte = nextByte(reader);
  const { value, tag } = field;
  if (typeof value === "string") return SCALAR_READERS[value](reader, field);
  if (byte !== OPEN_BRACE) return failValue(reader, field, "an object");
  if (depth >= reader.nestingDepth) return fail(reader, "messages are nested too deeply");
  const bodyAt = beginBody(reader, tag);
  if (!readMessage(reader, value(), depth + 1)) return false;
  endBody(reader, bodyAt, reader.wireEnd);
  return true;
}
