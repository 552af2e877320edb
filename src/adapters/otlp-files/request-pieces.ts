import { assembleRequest } from "../../domain/wire/assemble.ts";
import type { MessageBytes } from "../../domain/wire/field-scan.ts";
import {
  everySpan,
  rowsOf,
  type SpanPlaces,
  type SpanTable,
} from "../../domain/wire/request-spans.ts";
import { fieldsOf, PIECE_BYTES } from "./request-split.ts";

/**
 * Yields an encoded request as requests of about `PIECE_BYTES`, so that each makes a line that a
 * receiver takes: OTLP/JSON is several times as long. Every span keeps its bytes. Needs a request
 * that the walk accepted.
 */
export function* requestPieces(request: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  let at = 0;
  for (const field of fieldsOf(request)) {
    if (at > from && at + field.length - from > PIECE_BYTES) {
      yield* cutToSize(request.subarray(from, at));
      from = at;
    }
    at += field.length;
  }
  yield* cutToSize(request.subarray(from));
}

interface Cutting {
  readonly whole: MessageBytes;
  readonly table: SpanTable;
}

/** Yields halves of halves of a ResourceSpans that is too long by itself. */
function* cutToSize(request: Uint8Array): Generator<Uint8Array> {
  if (request.length <= PIECE_BYTES) return yield request;
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  yield* halves({ whole, table }, request, { first: 0, end: table.spanCount });
}

function* halves(
  cutting: Cutting,
  request: Uint8Array,
  { first, end }: SpanPlaces,
): Generator<Uint8Array> {
  const middle = Math.ceil((first + end) / 2);
  if (request.length <= PIECE_BYTES || middle >= end) return yield request;
  const parts = [
    { first, end: middle },
    { first: middle, end },
  ].map((places) => ({ places, bytes: partOf(cutting, places) }));
  const repeatedBytes = parts.reduce((sum, { bytes }) => sum + bytes.length, -request.length);
  // A large resource is in every part: to go on would write it more often than the spans.
  if (repeatedBytes > request.length / 4) return yield request;
  for (const { places, bytes } of parts) yield* halves(cutting, bytes, places);
}

function partOf({ whole, table }: Cutting, places: SpanPlaces): Uint8Array {
  return assembleRequest(whole, rowsOf(table, places));
}
