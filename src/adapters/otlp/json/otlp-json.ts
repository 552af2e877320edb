import { addKey, isLeftOut, writeMembers, writeValue } from "./json-message-writer.ts";
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, OPEN_BRACE } from "./json-reader.ts";
import { type FieldValue, writeScalar } from "./json-scalar-writer.ts";
import { type Field, RESOURCE_SPANS_LIST, type Shape } from "./json-shape.ts";
import {
  addByte,
  addText,
  type Chunk,
  createJsonWriter,
  type JsonWriter,
  readFrom,
  takeAll,
  takeChunks,
} from "./json-writer.ts";
import {
  joinedParts,
  lastOccurrence,
  lengthOf,
  mergedOccurrences,
  type MessageBytes,
  nextField,
  presentFields,
  scanFields,
  valueOf,
} from "./message-parts.ts";

/** The size below which a message is written in one step; larger ones yield chunks. */
const STEP_BYTES = 4096;

type Chunks<Result = void> = Generator<Chunk, Result>;

/**
 * Yields one request, or several as one, as OTLP/JSON in UTF-8, chunk by chunk:
 * `{"resourceSpans":[...]}`.
 *
 * It is written straight from the bytes, on demand. Decoding first would turn four megabytes of
 * empty attributes into two million objects. So at most one chunk of text is in memory, and other
 * work waits for one chunk at most.
 *
 * Each request must be one that the wire walk accepts, which bounds the recursion here. Fields
 * outside the schema are left out, because proto3 JSON has no place for them.
 */
export function* otlpJsonChunks(requests: Uint8Array | Iterable<Uint8Array>): Chunks {
  const writer = createJsonWriter();
  let isFirst = true;
  addText(writer, '{"resourceSpans":[');
  for (const request of requests instanceof Uint8Array ? [requests] : requests) {
    const message = { bytes: request, parts: [0, request.length] };
    isFirst = yield* elementsInSteps(writer, RESOURCE_SPANS_LIST, { message, isFirst });
  }
  addText(writer, "]}");
  yield* takeAll(writer);
}

/** Returns a request as one string, for small requests. */
export function otlpJson(request: Uint8Array): string {
  return Buffer.concat([...otlpJsonChunks(request)]).toString();
}

/** A list of which elements are being written. */
interface ListPlace {
  readonly message: MessageBytes;
  /** Whether no element precedes them, so that no comma is needed. */
  readonly isFirst: boolean;
}

/** Writes the elements of a list. Returns whether there was none, not even before. */
function* elementsInSteps(
  writer: JsonWriter,
  { fieldNumber, value }: Pick<Field, "fieldNumber" | "value">,
  { message, isFirst: isFirstOfAll }: ListPlace,
): Chunks<boolean> {
  const scan = scanFields(message);
  let isFirst = isFirstOfAll;
  while (nextField(scan)) {
    if (scan.fieldNumber !== fieldNumber) continue;
    if (!isFirst) addByte(writer, COMMA);
    isFirst = false;
    // Nearly all elements are small, such as spans. A generator would cost as much as they do.
    if (typeof value === "string" || scan.at - scan.valueAt < STEP_BYTES) {
      readFrom(writer, message.bytes);
      writeValue(writer, value, scan.valueAt, scan.at);
      if (writer.chunks.length > 0) yield* takeChunks(writer);
    } else yield* messageInSteps(writer, value, valueOf(scan));
  }
  return isFirst;
}

/** Writes a message as an object. */
export function* messageInSteps(writer: JsonWriter, shape: Shape, message: MessageBytes): Chunks {
  addByte(writer, OPEN_BRACE);
  yield* membersInSteps(writer, shape, message);
  addByte(writer, CLOSE_BRACE);
}

/** Writes the members of a message, as part of an object. */
export function* membersInSteps(writer: JsonWriter, shape: Shape, message: MessageBytes): Chunks {
  if (isSmall(message)) {
    const { bytes, parts } = joinedParts(message);
    readFrom(writer, bytes);
    writeMembers(writer, shape, parts[0]!, parts[1]!);
  } else yield* fieldsInSteps(writer, shape, message);
  if (writer.chunks.length > 0) yield* takeChunks(writer);
}

function* fieldsInSteps(writer: JsonWriter, shape: Shape, message: MessageBytes): Chunks {
  let isFirst = true;
  for (const field of presentFields(shape, message)) {
    const { value, isRepeated } = field;
    const last = lastOccurrence(field, message);
    if (isLeftOut(shape, field, last)) continue;
    addKey(writer, field, isFirst);
    isFirst = false;
    if (isRepeated) {
      yield* elementsInSteps(writer, field, { message, isFirst: true });
      addByte(writer, CLOSE_BRACKET);
    } else if (typeof value === "string") {
      readFrom(writer, message.bytes);
      writeScalar(writer, value, last.valueAt, last.at);
    } else yield* messageInSteps(writer, value, mergedOccurrences(shape, field, message));
  }
}

/** Writes the members of the message in the current field at once, unless it is large. */
export function writeIfSmall(writer: JsonWriter, shape: Shape, found: FieldValue): boolean {
  const { bytes, valueAt, at } = found;
  if (at - valueAt >= STEP_BYTES) return false;
  readFrom(writer, bytes);
  writeMembers(writer, shape, valueAt, at);
  return true;
}

/**
 * Reports whether a message is written in one step: most are, and generators cost more than they
 * do.
 */
export function isSmall(message: MessageBytes): boolean {
  return lengthOf(message) < STEP_BYTES;
}
