import { expect, test } from "bun:test";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";
import { MAX_REQUEST_BYTES } from "../../../src/adapters/otlp-files/byte-source.ts";
import {
  splitRequest,
  requestPieces,
  PIECE_BYTES,
} from "../../../src/adapters/otlp-files/request-split.ts";
import { chunksOf } from "../../support/requests/byte-chunks.ts";
import { varint, bytesField } from "../../support/requests/wire-bytes.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  serverRequest,
  span,
} from "../../support/requests/request-bytes.ts";

const HEAD_BYTES = 1 + 4;

/** Returns the beginning of a field of this size: tag, length and three bytes. */
function beginOfField(fieldBytes: number): Uint8Array {
  return Uint8Array.from([0x0a, ...varint(fieldBytes - HEAD_BYTES), 1, 2, 3]);
}

test.each([
  {
    fieldBytes: MAX_REQUEST_BYTES,
    fault: `truncated: the field that begins there has 8 of its ${MAX_REQUEST_BYTES} bytes`,
  },
  { fieldBytes: MAX_REQUEST_BYTES + 1, fault: "not a field of a trace request" },
])("a field of $fieldBytes bytes is accepted up to the limit: $fault", async (field) => {
  const begin = beginOfField(field.fieldBytes);

  const pieces = await Array.fromAsync(splitRequest(openSource(chunksOf(begin, 4))));

  expect(begin).toHaveLength(HEAD_BYTES + 3);
  expect(pieces).toMatchObject([{ fault: field.fault, first: 0 }]);
});

test("bytes that are not a field are reported", async () => {
  const noTag = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

  const pieces = await Array.fromAsync(splitRequest(openSource(chunksOf(noTag, 4))));

  expect(pieces).toMatchObject([{ fault: "not a field of a trace request", first: 0 }]);
});

const codec = new ProtobufSpanCodec();
const sizesOf = (pieces: readonly Uint8Array[]) => pieces.map(({ length }) => length);
const bytesOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces);

test("a short request is returned as one piece", () => {
  const short = request(resourceSpans("shop", span(1)), bytesField(99, "unknown"));

  expect([...requestPieces(short)]).toEqual([short]);
  expect([...requestPieces(new Uint8Array(0))]).toEqual([new Uint8Array(0)]);
});

test("many ResourceSpans are split into pieces of the same bytes", () => {
  const many = Buffer.concat(Array.from({ length: 400 }, (_, at) => requestOf(5, 1 + at * 5)));

  const pieces = [...requestPieces(many)];

  expect(pieces.length).toBeGreaterThan(1);
  expect(Math.max(...sizesOf(pieces))).toBeLessThanOrEqual(PIECE_BYTES);
  expect(bytesOf(pieces).equals(many)).toBe(true);
});

test("a long ResourceSpans is split into pieces with all its spans in order", () => {
  const long = serverRequest(2000);

  const pieces = [...requestPieces(long)];

  expect(Math.max(...sizesOf(pieces))).toBeLessThanOrEqual(PIECE_BYTES);
  expect(Math.min(...sizesOf(pieces))).toBeGreaterThan(PIECE_BYTES / 4);
  expect(codec.decode(new Uint8Array(bytesOf(pieces)))).toEqual(codec.decode(long));
});

test("a long span is not split", () => {
  const long = span(2, bytesField(9, attribute("long", "x".repeat(PIECE_BYTES))));

  const pieces = [...requestPieces(request(resourceSpans("shop", span(1), long, span(3))))];

  expect(pieces.map((piece) => codec.decode(new Uint8Array(piece)).length)).toEqual([1, 1, 1]);
});

test("a long resource is not repeated for every few spans", () => {
  const resource = bytesField(1, bytesField(1, attribute("long", "x".repeat(PIECE_BYTES))));
  const spans = Array.from({ length: 10_000 }, (_, at) => span(at + 1));
  const long = request(bytesField(1, resource, bytesField(2, ...spans)));

  const pieces = [...requestPieces(long)];

  expect(pieces.length).toBeGreaterThan(1);
  expect(bytesOf(pieces).length).toBeLessThan(long.length * 1.5);
});
