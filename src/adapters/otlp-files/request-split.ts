import { Buffer } from "node:buffer";
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "../../domain/wire/otlp-schema.ts";
import { varintValue, varintWidth } from "../../domain/wire/scalars.ts";
import { type ByteSource, peekBytes, takeBytes } from "./byte-source.ts";
import type { FileFault } from "./file-request.ts";
import { assembleRequest } from "../../domain/wire/assemble.ts";
import type { MessageBytes } from "../../domain/wire/field-scan.ts";
import {
  everySpan,
  rowsOf,
  type SpanRange,
  type SpanTable,
} from "../../domain/wire/request-spans.ts";

/**
 * The size of a piece: small enough for `send --pace` to pace the requests of a file, and large
 * enough to make headers negligible.
 */
export const PIECE_BYTES = 64 * 1024;

/** The number of bytes to read for a tag and a length, which are shorter. */
const HEAD_BYTES = 20;

/**
 * Splits an encoded request of any size into requests of about `PIECE_BYTES`, each of one or more
 * whole ResourceSpans. Protobuf messages concatenate, so the pieces together are the same bytes.
 *
 *     [ ResourceSpans ][ ResourceSpans ] | [ ResourceSpans                   ] | [ ResourceSpans ]
 */
export async function* splitRequest(source: ByteSource): AsyncGenerator<Uint8Array | FileFault> {
  let fields: Uint8Array[] = [];
  let lengthBytes = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a field comes after the one before it
    const field = await takeField(source);
    const isEnd = field === undefined || "fault" in field;
    if (lengthBytes > 0 && (isEnd || lengthBytes + field.length > PIECE_BYTES)) {
      yield Buffer.concat(fields);
      fields = [];
      lengthBytes = 0;
    }
    if (field !== undefined && "fault" in field) yield field;
    if (isEnd) return;
    fields.push(field);
    lengthBytes += field.length;
  }
}

/** Takes a top-level field with its tag; returns undefined at the end. */
async function takeField(source: ByteSource): Promise<Uint8Array | FileFault | undefined> {
  const { offsetBytes } = source;
  const head = await peekBytes(source, HEAD_BYTES);
  if (head.length === 0) return undefined;
  const lengthBytes = fieldLength(head);
  if (lengthBytes === 0 || lengthBytes > source.limits.requestBytes) {
    return faultAt(offsetBytes, "not a field of a trace request");
  }
  const field = await takeBytes(source, lengthBytes);
  if (field.length === lengthBytes) return field;
  const has = `has ${field.length} of its ${lengthBytes} bytes`;
  return faultAt(offsetBytes, `truncated: the field that begins there ${has}`);
}

function faultAt(offsetBytes: number, fault: string): FileFault {
  return { fault, unit: "byte", first: offsetBytes, last: offsetBytes, skippedBytes: undefined };
}

/** Yields the top-level fields of a request that `splitRequest` has yielded. */
export function* fieldsOf(request: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < request.length;) {
    const end = at + fieldLength(request.subarray(at, at + HEAD_BYTES));
    yield request.subarray(at, end);
    at = end;
  }
}

/** Returns the size of a field with tag and length; 0 if it is not a field. */
function fieldLength(head: Uint8Array): number {
  const tagWidth = varintWidth(head, 0, head.length);
  if (tagWidth === 0) return 0;
  const wireType = head[0]! & 7;
  if (wireType === WIRE_FIXED64) return tagWidth + 8;
  if (wireType === WIRE_FIXED32) return tagWidth + 4;
  const width = varintWidth(head, tagWidth, head.length);
  if (width === 0) return 0;
  if (wireType === WIRE_VARINT) return tagWidth + width;
  return wireType === WIRE_BYTES ? tagWidth + width + varintValue(head, tagWidth, width) : 0;
}

/**
 * Splits an encoded request into requests of about `PIECE_BYTES`, so that each makes a line that
 * receivers accept: OTLP/JSON is several times as long. Every span keeps its bytes. The walk must
 * have accepted the request.
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

interface SplitInput {
  readonly whole: MessageBytes;
  readonly table: SpanTable;
}

/** Halves a single ResourceSpans that is too long, recursively. */
function* cutToSize(request: Uint8Array): Generator<Uint8Array> {
  if (request.length <= PIECE_BYTES) return yield request;
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  yield* halves({ whole, table }, request, { first: 0, end: table.spanCount });
}

function* halves(
  input: SplitInput,
  request: Uint8Array,
  { first, end }: SpanRange,
): Generator<Uint8Array> {
  const middle = Math.ceil((first + end) / 2);
  if (request.length <= PIECE_BYTES || middle >= end) return yield request;
  const parts = [
    { first, end: middle },
    { first: middle, end },
  ].map((part) => ({ part, bytes: partOf(input, part) }));
  const repeatedBytes = parts.reduce((sum, { bytes }) => sum + bytes.length, -request.length);
  // Every part repeats the resource: halving further would write mostly copies of a large one.
  if (repeatedBytes > request.length / 4) return yield request;
  for (const { part, bytes } of parts) yield* halves(input, bytes, part);
}

function partOf({ whole, table }: SplitInput, part: SpanRange): Uint8Array {
  return assembleRequest(whole, rowsOf(table, part));
}
