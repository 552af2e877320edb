import type { FieldScan } from "../../../domain/wire/field-scan.ts";
import {
  doubleAt,
  int32Varint,
  isTrueVarint,
  uint32At,
  upperHalfVarint,
} from "../../../domain/wire/scalars.ts";
import { writeInt32, writeInt64, writeUint32, writeUint64 } from "./json-number-writer.ts";
import { QUOTE } from "./json-reader.ts";
import type { ScalarKind } from "./json-shape.ts";
import { BASE64_DIGITS, HEX_DIGITS, PADDING } from "./json-string.ts";
import { writeString } from "./json-string-writer.ts";
import { addByte, addText, type JsonWriter, reserve } from "./json-writer.ts";

/** Writes a value: the bytes of the wire from `at` to `end`, without tag and length. */
type WriteScalar = (writer: JsonWriter, at: number, end: number) => void;

/**
 * The writers of all scalars. Source: proto3 JSON mapping, and the OTLP specification for
 * identifiers.
 */
const SCALARS: Readonly<Record<ScalarKind, WriteScalar>> = {
  string: writeString,
  hex: writeHex,
  base64: writeBase64,
  bool: (writer, at, end) => addText(writer, isTrueVarint(writer.wire, at, end) ? "true" : "false"),
  double: (writer, at) => writeDouble(writer, doubleAt(writer.wire, at)),
  int32: (writer, at, end) => writeInt32(writer, int32Varint(writer.wire, at, end)),
  uint32: (writer, at, end) => writeUint32(writer, int32Varint(writer.wire, at, end) >>> 0),
  // Quoted, because most readers would round a JSON number.
  int64: (writer, at, end) => {
    addByte(writer, QUOTE);
    writeInt64(
      writer,
      upperHalfVarint(writer.wire, at, end) >>> 0,
      int32Varint(writer.wire, at, end) >>> 0,
    );
    addByte(writer, QUOTE);
  },
  fixed32: (writer, at) => writeUint32(writer, uint32At(writer.wire, at)),
  fixed64: (writer, at) => {
    addByte(writer, QUOTE);
    writeUint64(writer, uint32At(writer.wire, at + 4), uint32At(writer.wire, at));
    addByte(writer, QUOTE);
  },
};

export function writeScalar(writer: JsonWriter, kind: ScalarKind, at: number, end: number): void {
  SCALARS[kind](writer, at, end);
}

/** The value of a field in a scan. */
export type FieldValue = Pick<FieldScan, "bytes" | "valueAt" | "at">;

/** Reports whether a value is the default of its kind, which is left out except in a oneof. */
export function isDefault(kind: ScalarKind, { bytes, valueAt, at }: FieldValue): boolean {
  if (kind === "string" || kind === "hex" || kind === "base64") return valueAt === at;
  if (kind === "int32" || kind === "uint32") return int32Varint(bytes, valueAt, at) === 0;
  if (kind === "bool" || kind === "int64") return !isTrueVarint(bytes, valueAt, at);
  if (uint32At(bytes, valueAt) !== 0) return false;
  return kind === "fixed32" || uint32At(bytes, valueAt + 4) === 0;
}

/** Writes a double, of which JSON cannot express three; a text would drop the sign of zero. */
function writeDouble(writer: JsonWriter, value: number): void {
  if (Number.isFinite(value)) addText(writer, Object.is(value, -0) ? "-0" : String(value));
  else addText(writer, `"${value}"`);
}

const HEX = new TextEncoder().encode(HEX_DIGITS);
const BASE64 = new TextEncoder().encode(BASE64_DIGITS);

/** The bytes for which room is made at once, a multiple of three. */
const PIECE_BYTES = 3 * 1024;

function writeHex(writer: JsonWriter, from: number, end: number): void {
  addByte(writer, QUOTE);
  for (let at = from; at < end; at += PIECE_BYTES) {
    writeHexPiece(writer, at, Math.min(end, at + PIECE_BYTES));
  }
  addByte(writer, QUOTE);
}

function writeHexPiece(writer: JsonWriter, from: number, end: number): void {
  reserve(writer, 2 * (end - from));
  const { wire, json } = writer;
  let to = writer.jsonEnd;
  for (let at = from; at < end; at += 1) {
    const byte = wire[at]!;
    json[to] = HEX[byte >> 4]!;
    json[to + 1] = HEX[byte & 0xf]!;
    to += 2;
  }
  writer.jsonEnd = to;
}

function writeBase64(writer: JsonWriter, from: number, end: number): void {
  addByte(writer, QUOTE);
  for (let at = from; at < end; at += PIECE_BYTES) {
    writeBase64Piece(writer, at, Math.min(end, at + PIECE_BYTES));
  }
  addByte(writer, QUOTE);
}

/** Writes four digits for three bytes, and padding for bytes that are missing at the end. */
function writeBase64Piece(writer: JsonWriter, from: number, end: number): void {
  reserve(writer, 4 * Math.ceil((end - from) / 3));
  const { wire, json } = writer;
  let to = writer.jsonEnd;
  for (let at = from; at < end; at += 3) {
    const second = at + 1 < end ? wire[at + 1]! : 0;
    const third = at + 2 < end ? wire[at + 2]! : 0;
    const bits = (wire[at]! << 16) | (second << 8) | third;
    json[to] = BASE64[bits >> 18]!;
    json[to + 1] = BASE64[(bits >> 12) & 0x3f]!;
    json[to + 2] = at + 1 < end ? BASE64[(bits >> 6) & 0x3f]! : PADDING;
    json[to + 3] = at + 2 < end ? BASE64[bits & 0x3f]! : PADDING;
    to += 4;
  }
  writer.jsonEnd = to;
}
