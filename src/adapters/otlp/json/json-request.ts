import { isUtf8 } from "node:buffer";
import { releaseOwnBuffer } from "../../../application/ring/release-bytes.ts";
import {
  beginBody,
  beginDocument,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  countEmpty,
  createJsonReader,
  endBody,
  endDocument,
  fail,
  failSeparator,
  isStepOver,
  type JsonReader,
  type JsonSteps,
  nextByte,
  noteUnknownKey,
  NULL_BEGIN,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  runSteps,
  takeByte,
  takeColon,
  takeWire,
  takeWord,
} from "./json-reader.ts";
import { failValue, SCALAR_READERS } from "./json-scalar-reader.ts";
import { type Field, fieldByKey, REQUEST, type Shape, SHAPES } from "./json-shape.ts";
import { skipValue } from "./json-skip.ts";
import { copyKey, copyString } from "./json-string.ts";

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
export function requestFromJson(body: Uint8Array, limits: JsonLimits): JsonReading {
  return runSteps(requestFromJsonInSteps(body, limits));
}

/**
 * Does the same, with a pause between two spans after each 64 KiB of the body: 20 MiB take a fifth
 * of a second, in which others would have to wait. A single span is read without a pause; of what
 * compresses to nothing, empty objects and lists, it has few (`countEmpty`).
 */
export function* requestFromJsonInSteps(
  body: Uint8Array,
  { nestingDepth }: JsonLimits,
): Generator<void, JsonReading> {
  if (!isUtf8(body)) return { ok: false, message: "the body is not valid UTF-8" };
  const reader = createJsonReader(body, nestingDepth);
  let isRead = false;
  try {
    isRead =
      beginDocument(reader) && (yield* readInSteps(reader, REQUEST, 1)) && endDocument(reader);
  } finally {
    // Also if the caller takes no further step.
    if (!isRead) releaseOwnBuffer(reader.wire);
  }
  return isRead
    ? { ok: true, request: takeWire(reader), unknown: unknownText(reader) }
    : { ok: false, message: reader.fault };
}

/** The messages around spans, which are read in steps. */
const AROUND_SPANS: ReadonlySet<Shape> = new Set([SHAPES.ResourceSpans, SHAPES.ScopeSpans]);

/** Reads the object that starts at `reader.at`: the request, or a message around spans. */
function* readInSteps(reader: JsonReader, shape: Shape, depth: number): JsonSteps {
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACE)) return true;
  do {
    const field = takeKey(reader, shape);
    const isSpans = isField(field) && isListOfSpans(field) && nextByte(reader) === OPEN_BRACKET;
    const isRead = isSpans
      ? yield* readListInSteps(reader, field, depth)
      : readMemberValue(reader, field, depth);
    if (!isRead) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACE) || failSeparator(reader, "}");
}

function isField(field: Key): field is Field {
  return typeof field !== "string";
}

/** Reports whether a field is a list of spans, or of messages around them. */
function isListOfSpans({ isRepeated, value }: Field): boolean {
  if (!isRepeated || typeof value === "string") return false;
  return value === SHAPES.Span || AROUND_SPANS.has(value);
}

function* readListInSteps(reader: JsonReader, field: Field, depth: number): JsonSteps {
  const isAround = typeof field.value !== "string" && AROUND_SPANS.has(field.value);
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACKET)) return true;
  do {
    if (isStepOver(reader)) yield;
    const isRead = isAround
      ? yield* readObjectInSteps(reader, field, depth)
      : readValue(reader, field, depth);
    if (!isRead) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACKET) || failSeparator(reader, "]");
}

/** Does the same as `readValue`, in steps. */
function* readObjectInSteps(reader: JsonReader, field: Field, depth: number): JsonSteps {
  const { value, tag } = field;
  if (typeof value === "string") return false;
  if (!beginsObject(reader, field, depth)) return false;
  const bodyAt = beginBody(reader, tag);
  if (!(yield* readInSteps(reader, value, depth + 1))) return false;
  return endObject(reader, bodyAt);
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
    if (!readMemberValue(reader, takeKey(reader, shape), depth)) return false;
  } while (takeByte(reader, COMMA));
  return takeByte(reader, CLOSE_BRACE) || failSeparator(reader, "}");
}

/**
 * Takes a known key and its colon if they stand at `reader.at` as nearly every exporter writes
 * them: without escapes and white space. It compares the key itself, and `readMemberValue` reads
 * strings itself, because calls between small functions made up a third of the time of a body.
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

/** A key: of a field, or of none. */
type Key = Field | typeof UNKNOWN | typeof MALFORMED;

/** Takes a key and its colon. */
function takeKey(reader: JsonReader, shape: Shape): Key {
  return takePlainKey(reader, shape) ?? takeOtherKey(reader, shape);
}

function takeOtherKey(reader: JsonReader, shape: Shape): Key {
  const field = takeUsualKey(reader, shape) ?? takeAnyKey(reader, shape);
  return field === MALFORMED || takeColon(reader) ? field : MALFORMED;
}

function readMemberValue(reader: JsonReader, field: Key, depth: number): boolean {
  if (field === MALFORMED) return false;
  if (field === UNKNOWN) return skipValue(reader);
  const isPlain = field.isText && reader.json[reader.at] === QUOTE;
  return isPlain ? readString(reader, field) : readField(reader, field, depth);
}

const MALFORMED = "malformed";
const UNKNOWN = "unknown";

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
  const { value } = field;
  // Scalars expect a value that is not white space.
  nextByte(reader);
  if (typeof value === "string") return SCALAR_READERS[value](reader, field);
  if (!beginsObject(reader, field, depth)) return false;
  const bodyAt = beginBody(reader, field.tag);
  return readMessage(reader, value, depth + 1) && endObject(reader, bodyAt);
}

function readString(reader: JsonReader, field: Field): boolean {
  const bodyAt = beginBody(reader, field.tag);
  const end = copyString(reader, bodyAt);
  if (end < 0) return false;
  endBody(reader, bodyAt, end);
  return true;
}

function beginsObject(reader: JsonReader, field: Field, depth: number): boolean {
  if (nextByte(reader) !== OPEN_BRACE) return failValue(reader, field, "an object");
  return depth < reader.nestingDepth || fail(reader, "messages are nested too deeply");
}

function endObject(reader: JsonReader, bodyAt: number): boolean {
  if (reader.wireEnd === bodyAt && !countEmpty(reader)) return false;
  endBody(reader, bodyAt, reader.wireEnd);
  return true;
}
