import { assert } from "../../../domain/assert.ts";
import { varintSize, writeVarint } from "../../../domain/wire/scalars.ts";
import { type NumberText, createNumberText } from "./json-number.ts";

/**
 * A body of OTLP/JSON on its way to protobuf. One position moves through the input, the other
 * follows the output.
 *
 *     json   {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff7...
 *                                                        ^at
 *     wire   [ 0a ][ . ][ 12 ][ . ][ 12 ][ . ]  . length, not known yet
 *                                              ^wireEnd, from here on: the string read last
 *
 * Invariant: wireEnd <= at + at / 8 + SPARE_BYTES, and the string after it is no longer than the
 * rest of the body. JSON grows by a tenth at most: `"code":-1,` has 10 bytes, and 11 on the wire.
 * The `{},` of a list, three bytes, becomes a tag and a length, which exceed two bytes only when
 * the contents are far larger than the difference. The messages around spans and an open span
 * have up to five bytes more, until their lengths are known.
 */
export interface JsonReader {
  // Fixed from the beginning.
  readonly json: Buffer;
  readonly wire: Buffer;
  /** Views of both, to read and write several bytes at once, at any position. */
  readonly jsonWords: DataView;
  readonly wireWords: DataView;
  readonly nestingDepth: number;
  /** Records which brackets around a skipped value are braces. */
  readonly isObject: Uint8Array;
  readonly number: NumberText;

  // Moved by reading, and by writing.
  at: number;
  /** The position after which reading pauses. */
  stepEnd: number;
  wireEnd: number;
  /** The attributes from which prefixes were learnt: see `json-attribute-prefix`. */
  learntCount: number;
  /** The slot of the prefix that was taken last. */
  prefixSlot: number;
  /** Keys that OTLP does not define: their number, and the first few that look like names. */
  unknownKeyCount: number;
  readonly unknownKeys: Set<string>;
  emptyCount: number;
  /** A message to the sender about what is wrong and where; empty without a fault. */
  fault: string;
}

const SPARE_BYTES = 64;

/** Creates a reader. Most of `wire` is never written, and untouched pages take no memory. */
export function createJsonReader(body: Uint8Array, nestingDepth: number): JsonReader {
  const wire = Buffer.allocUnsafeSlow(body.length + (body.length >>> 3) + SPARE_BYTES);
  return {
    json: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    wire,
    jsonWords: new DataView(body.buffer, body.byteOffset, body.byteLength),
    wireWords: new DataView(wire.buffer, wire.byteOffset, wire.byteLength),
    nestingDepth,
    isObject: new Uint8Array(nestingDepth),
    number: createNumberText(),
    at: 0,
    stepEnd: STEP_BYTES,
    wireEnd: 0,
    learntCount: 0,
    prefixSlot: 0,
    unknownKeyCount: 0,
    unknownKeys: new Set(),
    emptyCount: 0,
    fault: "",
  };
}

/** Returns the output as a view of memory of its own. */
export function takeWire({ wire, wireEnd }: JsonReader): Uint8Array<ArrayBuffer> {
  assert(wireEnd <= wire.length, "protobuf takes no more than its bound");
  return new Uint8Array(wire.buffer as ArrayBuffer, wire.byteOffset, wireEnd);
}

/**
 * Records a fault at a position, by default the current one; returns false, for callers to pass on.
 */
export function fail(reader: JsonReader, what: string, at: number = reader.at): false {
  const isAtEnd = at >= reader.json.length;
  reader.fault = `at byte ${at}: ${what}${isAtEnd ? ", but the body ends" : ""}`;
  return false;
}

/** Empty objects and lists compress to nothing, and take as long to read as any others. */
export const MAX_EMPTY = 65_536;

/** Counts an empty object or list. Returns false, with a fault, beyond `MAX_EMPTY` of them. */
export function countEmpty(reader: JsonReader): boolean {
  reader.emptyCount += 1;
  return reader.emptyCount <= MAX_EMPTY || fail(reader, "too many empty objects and lists");
}

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
/** The keys that may be shown: a map whose keys are data looks like an object to OTLP. */
const KEY_NAME = /^[A-Za-z_]\w{0,31}$/;
const MAX_LOOKS = 16;
const MAX_NAMED = 4;

/** Records the key in `wire` from `wireEnd` to `end`, if it is one of the first. */
export function noteUnknownKey(reader: JsonReader, end: number): void {
  reader.unknownKeyCount += 1;
  if (reader.unknownKeyCount > MAX_LOOKS || reader.unknownKeys.size === MAX_NAMED) return;
  const key = reader.wire.toString("latin1", reader.wireEnd, Math.min(end, reader.wireEnd + 33));
  if (KEY_NAME.test(key)) reader.unknownKeys.add(key);
}

/** The first byte of `null`, the only other value that is valid for any field. */
export const NULL_BEGIN = 0x6e;

export const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Returns the next byte that is not white space, without consuming it; -1 at the end of the body.
 */
export function nextByte(reader: JsonReader): number {
  const { json } = reader;
  for (; reader.at < json.length; reader.at += 1) {
    const byte = json[reader.at]!;
    if (byte > SPACE || !isSpace(byte)) return byte;
  }
  return -1;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

/** Moves to the only object of a body. Returns false, with a fault, if it begins otherwise. */
export function beginDocument(reader: JsonReader): boolean {
  reader.at = byteOrderMarkLength(reader.json);
  return nextByte(reader) === OPEN_BRACE || fail(reader, "the body must be one JSON object");
}

/** Returns false, with a fault, if anything follows the object. */
export function endDocument(reader: JsonReader): boolean {
  return nextByte(reader) < 0 || fail(reader, "unexpected data after the object");
}

/** The bytes that are read in one step: a millisecond or two of JSON without much text. */
const STEP_BYTES = 64 * 1024;

/** Reports whether a step is over, and begins the next one. */
export function isStepOver(reader: JsonReader): boolean {
  if (reader.at < reader.stepEnd) return false;
  reader.stepEnd = reader.at + STEP_BYTES;
  return true;
}

/** Reads on to the next pause. Returns whether what was read is valid. */
export type JsonSteps = Generator<void, boolean>;

/** Runs all steps at once. */
export function runSteps<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Returns the length of a byte order mark, which PowerShell and others write before a text. */
function byteOrderMarkLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Consumes this byte if it is next. */
export function takeByte(reader: JsonReader, wanted: number): boolean {
  if (nextByte(reader) !== wanted) return false;
  reader.at += 1;
  return true;
}

export function takeColon(reader: JsonReader): boolean {
  return takeByte(reader, COLON) || fail(reader, 'expected ":"');
}

/** Records a missing separator between two values, or a missing end. */
export function failSeparator(reader: JsonReader, close: "]" | "}"): false {
  return fail(reader, `expected "," or "${close}"`);
}

/** Consumes a word if it is next; the caller checks what follows. */
export function takeWord(reader: JsonReader, word: "true" | "false" | "null"): boolean {
  for (let index = 0; index < word.length; index += 1) {
    if (reader.json[reader.at + index] !== word.charCodeAt(index)) return false;
  }
  reader.at += word.length;
  return true;
}

export function writeTag(reader: JsonReader, tag: number): void {
  reader.wireEnd = writeVarint(reader.wire, reader.wireEnd, tag);
}

/** Reserves some bytes for the length of a body, by default one, and returns its position. */
export function beginBody(reader: JsonReader, tag: number, lengthBytes = 1): number {
  writeTag(reader, tag);
  reader.wireEnd += lengthBytes;
  return reader.wireEnd;
}

/**
 * Writes the length before a body that ends at `bodyEnd`, and moves the body when the length needs
 * more room than was reserved, or less. Most lengths take what their shape expects. Otherwise a
 * byte moves once for each message around it: less work than reading it was, except in nests as
 * deep as the limit.
 */
export function endBody(
  reader: JsonReader,
  bodyAt: number,
  bodyEnd: number,
  lengthBytes = 1,
): void {
  const { wire } = reader;
  const length = bodyEnd - bodyAt;
  const moreBytes = varintSize(length) - lengthBytes;
  if (moreBytes !== 0) wire.copyWithin(bodyAt + moreBytes, bodyAt, bodyEnd);
  writeVarint(wire, bodyAt - lengthBytes, length);
  reader.wireEnd = bodyEnd + moreBytes;
}
