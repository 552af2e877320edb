import {
  mergedOccurrences,
  presentFields,
  DEFAULT_TEXT,
  SCALAR_TEXT,
  JsonText,
  lengthOf,
  type MessageBytes,
  nextField,
  scanFields,
  valueOf,
} from "./json-writer.ts";
import { type Field, RESOURCE_SPANS_LIST, type ScalarKind, type Shape } from "./json-shape.ts";

/** The size below which a message is written in one step; larger ones yield chunks. */
const STEP_BYTES = 4096;

type Chunks = Generator<Uint8Array<ArrayBuffer>, void>;

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
  const out = new JsonText();
  let separator = "";
  out.add('{"resourceSpans":[');
  for (const request of requests instanceof Uint8Array ? [requests] : requests) {
    const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    const message = { bytes, parts: [0, bytes.length] };
    separator = yield* elementsInSteps(out, RESOURCE_SPANS_LIST, { message, separator });
  }
  out.add("]}");
  out.endChunk();
  yield* out.takeChunks();
}

/** Returns a request as one string, for small requests. */
export function otlpJson(request: Uint8Array): string {
  return Buffer.concat([...otlpJsonChunks(request)]).toString();
}

/** A repeated field of messages. */
interface MessageList {
  readonly fieldNumber: number;
  readonly value: Shape;
}

/** A field of a message in progress. */
interface FieldPlace {
  readonly shape: Shape;
  readonly message: MessageBytes;
  /** A comma; empty before the first field. */
  readonly separator: string;
}

function* membersInSteps(out: JsonText, shape: Shape, message: MessageBytes): Chunks {
  let separator = "";
  for (const field of presentFields(shape, message)) {
    const { name, fieldNumber, isRepeated, value } = field;
    if (typeof value === "string") {
      if (writeField(out, field, { shape, message, separator })) separator = ",";
      continue;
    }
    out.add(`${separator}"${name}":`);
    separator = ",";
    if (isRepeated) yield* listInSteps(out, { fieldNumber, value }, message);
    else yield* valueInSteps(out, value, mergedOccurrences(shape, field, message));
  }
}

function* listInSteps(out: JsonText, list: MessageList, message: MessageBytes): Chunks {
  out.add("[");
  yield* elementsInSteps(out, list, { message, separator: "" });
  out.add("]");
}

/** Writes the elements of a list. Returns the separator before the next one. */
function* elementsInSteps(
  out: JsonText,
  list: MessageList,
  { message, separator: first }: Pick<FieldPlace, "message" | "separator">,
): Generator<Uint8Array<ArrayBuffer>, string> {
  const scan = scanFields(message);
  let separator = first;
  while (nextField(scan)) {
    if (scan.fieldNumber !== list.fieldNumber) continue;
    out.add(separator);
    yield* valueInSteps(out, list.value, valueOf(scan));
    separator = ",";
  }
  return separator;
}

/** Writes a message as an object. */
export function* valueInSteps(out: JsonText, shape: Shape, message: MessageBytes): Chunks {
  if (isSmall(message)) {
    writeMessage(out, shape, message);
  } else {
    out.add("{");
    yield* membersInSteps(out, shape, message);
    out.add("}");
  }
  if (out.hasChunks) yield* out.takeChunks();
}

/** Writes the members of a message, as part of a larger object. */
export function* spreadInSteps(out: JsonText, shape: Shape, message: MessageBytes): Chunks {
  if (isSmall(message)) writeMembers(out, shape, message);
  else yield* membersInSteps(out, shape, message);
  if (out.hasChunks) yield* out.takeChunks();
}

/**
 * Reports whether a message is written in one step: most are, and generators cost more than they
 * do.
 */
export function isSmall(message: MessageBytes): boolean {
  return lengthOf(message) < STEP_BYTES;
}

/** Writes a message in one step. */
export function writeMessage(out: JsonText, shape: Shape, message: MessageBytes): void {
  out.add("{");
  writeMembers(out, shape, message);
  out.add("}");
}

function writeMembers(out: JsonText, shape: Shape, message: MessageBytes): void {
  let separator = "";
  for (const field of presentFields(shape, message)) {
    if (writeField(out, field, { shape, message, separator })) separator = ",";
  }
}

/** Writes a field; returns false when it has its default value and is left out. */
function writeField(out: JsonText, field: Field, place: FieldPlace): boolean {
  const { shape, message, separator } = place;
  const key = `${separator}"${field.name}":`;
  if (field.isRepeated) {
    out.add(key);
    writeList(out, field, message);
    return true;
  }
  if (typeof field.value !== "string") {
    out.add(key);
    writeMessage(out, field.value, mergedOccurrences(shape, field, message));
    return true;
  }
  const text = lastScalar(field, field.value, message);
  if (text === DEFAULT_TEXT[field.value] && !shape.isOneof) return false;
  out.add(key + text);
  return true;
}

function writeList(out: JsonText, { fieldNumber, value }: Field, message: MessageBytes): void {
  const scan = scanFields(message);
  let separator = "";
  out.add("[");
  while (nextField(scan)) {
    if (scan.fieldNumber !== fieldNumber) continue;
    out.add(separator);
    separator = ",";
    if (typeof value !== "string") writeMessage(out, value, valueOf(scan));
    else out.add(SCALAR_TEXT[value](message.bytes, scan.valueAt, scan.at));
  }
  out.add("]");
}

function lastScalar(field: Field, kind: ScalarKind, message: MessageBytes): string {
  const scan = scanFields(message);
  let at = 0;
  let end = 0;
  while (nextField(scan)) {
    if (scan.fieldNumber !== field.fieldNumber) continue;
    at = scan.valueAt;
    end = scan.at;
  }
  return SCALAR_TEXT[kind](message.bytes, at, end);
}
