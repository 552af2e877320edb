import { expect, test } from "bun:test";
import { requestPieces } from "../../../src/adapters/otlp-files/request-pieces.ts";
import { PIECE_BYTES } from "../../../src/adapters/otlp-files/request-split.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  serverRequest,
  span,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const codec = new ProtobufSpanCodec();
const sizesOf = (pieces: readonly Uint8Array[]) => pieces.map(({ length }) => length);
const bytesOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces);

test("a request that is short is one piece, byte for byte", () => {
  const short = request(resourceSpans("shop", span(1)), bytesField(99, "unknown"));

  expect([...requestPieces(short)]).toEqual([short]);
  expect([...requestPieces(new Uint8Array(0))]).toEqual([new Uint8Array(0)]);
});

test("many ResourceSpans become pieces that are the same bytes together", () => {
  const many = Buffer.concat(Array.from({ length: 400 }, (_, at) => requestOf(5, 1 + at * 5)));

  const pieces = [...requestPieces(many)];

  expect(pieces.length).toBeGreaterThan(1);
  expect(Math.max(...sizesOf(pieces))).toBeLessThanOrEqual(PIECE_BYTES);
  expect(bytesOf(pieces).equals(many)).toBe(true);
});

test("one long ResourceSpans becomes pieces with its spans, in order, and all around them", () => {
  const long = serverRequest(2000);

  const pieces = [...requestPieces(long)];

  expect(Math.max(...sizesOf(pieces))).toBeLessThanOrEqual(PIECE_BYTES);
  expect(Math.min(...sizesOf(pieces))).toBeGreaterThan(PIECE_BYTES / 4);
  expect(codec.decode(new Uint8Array(bytesOf(pieces)))).toEqual(codec.decode(long));
});

test("a span that is long by itself is not cut", () => {
  const long = span(2, bytesField(9, attribute("long", "x".repeat(PIECE_BYTES))));

  const pieces = [...requestPieces(request(resourceSpans("shop", span(1), long, span(3))))];

  expect(pieces.map((piece) => codec.decode(new Uint8Array(piece)).length)).toEqual([1, 1, 1]);
});

test("a long resource is not written once for every few spans", () => {
  const resource = bytesField(1, bytesField(1, attribute("long", "x".repeat(PIECE_BYTES))));
  const spans = Array.from({ length: 10_000 }, (_, at) => span(at + 1));
  const long = request(bytesField(1, resource, bytesField(2, ...spans)));

  const pieces = [...requestPieces(long)];

  expect(pieces.length).toBeGreaterThan(1);
  expect(bytesOf(pieces).length).toBeLessThan(long.length * 1.5);
});
