import { isUtf8 } from "node:buffer";
import { releaseOwnBuffer } from "../../../application/ring/release-bytes.ts";
import { learnPrefix, takePrefix } from "./json-attribute-prefix.ts";
import {
  beginBody,
  beginDocument,
  CLOSE_BRACE,
  CLOSE_BRACKET,
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
  NULL_BEGIN,
  OPEN_BRACE,
  OPEN_BRACKET,
  runSteps,
  takeByte,
  takeWire,
  takeWord,
} from "./json-reader.ts";
import { type Key, MALFORMED, takeKey, UNKNOWN } from "./json-key.ts";
import { failValue, SCALAR_READERS } from "./json-scalar-reader.ts";
import { type Field, REQUEST, type Shape, SHAPES } from "./json-shape.ts";
import { takePlainScalar } from "./json-plain-scalar.ts";
import { skipValue } from "./json-skip.ts";

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
  const bodyAt = beginBody(reader, tag, value.lengthBytes);
  if (!(yield* readInSteps(reader, value, depth + 1))) return false;
  return endObject(reader, bodyAt, value.lengthBytes);
}

function unknownText({ unknownKeyCount, unknownKeys }: JsonReader): string {
  if (unknownKeyCount === 0) return "";
  return `unknown keys: ${[...unknownKeys].join(", ") || unknownKeyCount}`;
}

/** Reads the object that starts at `reader.at`. */
function readMessage(reader: JsonReader, shape: Shape, depth: number): boolean {
  reader.at += 1;
  if (takeByte(reader, CLOSE_BRACE)) return true;
  if (!readMemberValue(reader, takeKey(reader, shape), depth)) return false;
  return readMoreMembers(reader, shape, depth);
}

/** Reads the rest of an object, after its first member or a later one. */
function readMoreMembers(reader: JsonReader, shape: Shape, depth: number): boolean {
  while (takeByte(reader, COMMA)) {
    if (!readMemberValue(reader, takeKey(reader, shape), depth)) return false;
  }
  return takeByte(reader, CLOSE_BRACE) || failSeparator(reader, "}");
}

function readMemberValue(reader: JsonReader, field: Key, depth: number): boolean {
  if (field === MALFORMED) return false;
  if (field === UNKNOWN) return skipValue(reader);
  nextByte(reader);
  return takePlainScalar(reader, field) || readField(reader, field, depth);
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
  const areAttributes = field.value === SHAPES.KeyValue;
  do {
    const isRead = areAttributes
      ? readAttribute(reader, field, depth)
      : readValue(reader, field, depth);
    if (!isRead) return false;
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
  const { lengthBytes } = value;
  const bodyAt = beginBody(reader, field.tag, lengthBytes);
  return readMessage(reader, value, depth + 1) && endObject(reader, bodyAt, lengthBytes);
}

/**
 * Reads an attribute: its value only, if an earlier one had the same prefix.
 */
function readAttribute(reader: JsonReader, field: Field, depth: number): boolean {
  nextByte(reader);
  const bodyAt = reader.wireEnd + 2;
  const isTooDeep = depth + 1 >= reader.nestingDepth;
  const prefix = isTooDeep ? undefined : takePrefix(reader, field.tag);
  if (prefix === undefined) return readNewAttribute(reader, field, depth);
  const valueAt = reader.wireEnd;
  if (!readMemberValue(reader, prefix.field, depth + 2)) return false;
  return (
    endsAttribute(reader, bodyAt, valueAt) ||
    (readMoreMembers(reader, SHAPES.AnyValue, depth + 2) &&
      endObject(reader, valueAt) &&
      readMoreMembers(reader, SHAPES.KeyValue, depth + 1) &&
      endObject(reader, bodyAt))
  );
}

function readNewAttribute(reader: JsonReader, field: Field, depth: number): boolean {
  const { at } = reader;
  if (!readValue(reader, field, depth)) return false;
  learnPrefix(reader, at);
  return true;
}

/**
 * Ends an attribute and its value at once, as nearly all end; returns false otherwise, and has
 * moved nothing.
 */
function endsAttribute(reader: JsonReader, bodyAt: number, valueAt: number): boolean {
  const { json, wire, at, wireEnd } = reader;
  if (json[at] !== CLOSE_BRACE || json[at + 1] !== CLOSE_BRACE) return false;
  if (wireEnd === valueAt || wireEnd - bodyAt > 0x7f) return false;
  wire[valueAt - 1] = wireEnd - valueAt;
  wire[bodyAt - 1] = wireEnd - bodyAt;
  reader.at = at + 2;
  return true;
}

function beginsObject(reader: JsonReader, field: Field, depth: number): boolean {
  if (nextByte(reader) !== OPEN_BRACE) return failValue(reader, field, "an object");
  return depth < reader.nestingDepth || fail(reader, "messages are nested too deeply");
}

function endObject(reader: JsonReader, bodyAt: number, lengthBytes?: number): boolean {
  if (reader.wireEnd === bodyAt && !countEmpty(reader)) return false;
  endBody(reader, bodyAt, reader.wireEnd, lengthBytes);
  return true;
}
