import { assert } from "../../../domain/assert.ts";
import { varintSize, writeVarint } from "../../../domain/wire/varint.ts";
import { type NumberText, createNumberText } from "./json-number.ts";

/**
 * A body of OTLP/JSON on its way to protobuf. One place moves through what is read, the other
 * behind what is written.
 *
 *     json   {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff7...
 *                                                        ^at
 *     wire   [ 0a ][ . ][ 12 ][ . ][ 12 ][ . ]  . length, not known yet
 *                                              ^wireEnd, from here on: the string read last
 *
 * Invariant: wireEnd <= at + at / 8 + SPARE_BYTES, and what is behind it is no longer than the
 * rest of the body. The most that a piece of JSON grows is by a tenth: `"code":-1,` are 10 bytes,
 * and 11 on the wire. A list's `{},` of three bytes becomes a tag and a length, of more than two
 * bytes only when what is inside is larger by far than the difference.
 */
export interface JsonReader {
  // Fixed from the beginning.
  readonly json: Buffer;
  readonly wire: Buffer;
  readonly nestingDepth: number;
  /** Which of the brackets around a value that is skipped are braces. */
  readonly isObject: Uint8Array;
  readonly number: NumberText;

  // Moved by reading, and by writing.
  at: number;
  wireEnd: number;
  /** Keys that OTLP does not have: how many, and of the first few those that look like names. */
  unknownKeyCount: number;
  readonly unknownKeys: Set<string>;
  /** What is wrong and where, in words for the sender; empty while nothing is. */
  fault: string;
}

const SPARE_BYTES = 64;

/** Nothing is written to most of `wire`, and pages of memory that nobody touched cost nothing. */
export function createJsonReader(body: Uint8Array, nestingDepth: number): JsonReader {
  return {
    json: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    wire: Buffer.allocUnsafeSlow(body.length + (body.length >>> 3) + SPARE_BYTES),
    nestingDepth,
    isObject: new Uint8Array(nestingDepth),
    number: createNumberText(),
    at: 0,
    wireEnd: 0,
    unknownKeyCount: 0,
    unknownKeys: new Set(),
    fault: "",
  };
}

/** What has been written, as a view of memory that nobody else has. */
export function takeWire({ wire, wireEnd }: JsonReader): Uint8Array<ArrayBuffer> {
  assert(wireEnd <= wire.length, "protobuf takes no more than its bound");
  return new Uint8Array(wire.buffer as ArrayBuffer, wire.byteOffset, wireEnd);
}

/** Notes a fault, of the place that is read or of another; false, for callers to hand on. */
export function fail(reader: JsonReader, what: string, at: number = reader.at): false {
  const isAtEnd = at >= reader.json.length;
  reader.fault = `at byte ${at}: ${what}${isAtEnd ? ", but the body ends" : ""}`;
  return false;
}

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
/** Others are not shown: a map whose keys are data looks like an object to OTLP. */
const KEY_NAME = /^[A-Za-z_]\w{0,31}$/;
const MAX_LOOKS = 16;
const MAX_NAMED = 4;

/** Notes the key that lies in `wire` from `wireEnd` up to `end`. Looks at the first ones only. */
export function noteUnknownKey(reader: JsonReader, end: number): void {
  reader.unknownKeyCount += 1;
  if (reader.unknownKeyCount > MAX_LOOKS || reader.unknownKeys.size === MAX_NAMED) return;
  const key = reader.wire.toString("latin1", reader.wireEnd, Math.min(end, reader.wireEnd + 33));
  if (KEY_NAME.test(key)) reader.unknownKeys.add(key);
}

/** With which the only other JSON value that may stand for any field begins. */
export const NULL_BEGIN = 0x6e;

const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The next byte that is not white space, without taking it; at the end of the body -1. */
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

/** Reads a body that is one object, which `readObject` reads from its opening brace on. */
export function readDocument(reader: JsonReader, readObject: () => boolean): boolean {
  reader.at = byteOrderMarkLength(reader.json);
  if (nextByte(reader) !== OPEN_BRACE) return fail(reader, "the body must be one JSON object");
  if (!readObject()) return false;
  return nextByte(reader) < 0 || fail(reader, "nothing may follow the object");
}

/** U+FEFF in UTF-8, which PowerShell and others write before a text. */
function byteOrderMarkLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Takes this byte if it comes next. */
export function takeByte(reader: JsonReader, wanted: number): boolean {
  if (nextByte(reader) !== wanted) return false;
  reader.at += 1;
  return true;
}

export function takeColon(reader: JsonReader): boolean {
  return takeByte(reader, COLON) || fail(reader, '":" must stand here');
}

/** Between two values, or at the end of what holds them. */
export function failSeparator(reader: JsonReader, close: "]" | "}"): false {
  return fail(reader, `"," or "${close}" must stand here`);
}

/** Whether the word stands here, to its last letter; what follows it is the caller's business. */
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

/**
 * Leaves one byte for the length of what comes, and answers where that begins. Nearly all lengths
 * take one byte, and those of spans two.
 */
export function beginBody(reader: JsonReader, tag: number): number {
  writeTag(reader, tag);
  reader.wireEnd += 1;
  return reader.wireEnd;
}

/**
 * Puts the length before a body that ends at `bodyEnd`, and moves the body when there is too little
 * room. So a byte is moved once for each message of 128 bytes or more around it: less work than
 * reading it was, except in nests as deep as the limit.
 */
export function endBody(reader: JsonReader, bodyAt: number, bodyEnd: number): void {
  const { wire } = reader;
  const length = bodyEnd - bodyAt;
  const moreBytes = varintSize(length) - 1;
  if (moreBytes > 0) wire.copyWithin(bodyAt + moreBytes, bodyAt, bodyEnd);
  writeVarint(wire, bodyAt - 1, length);
  reader.wireEnd = bodyEnd + moreBytes;
}
