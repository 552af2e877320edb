import { assert } from "../assert.ts";
import { type ByteRange, fieldRuns, type MessageBytes } from "./field-scan.ts";
import { WIRE_BYTES } from "./otlp-schema.ts";
import { RESOURCE_SPANS_FIELD, SCOPE_SPANS_FIELD, SPANS_FIELD } from "./otlp-tags.ts";
import { type SpanTable, everySpan, rowsOf, type SpanRange } from "./request-spans.ts";
import { varintSize, writeVarint } from "./scalars.ts";

/**
 * Returns a request with only the spans of `table`, made of slices of the request in which they
 * were walked: the bytes of each span, and around them every field of their envelopes (request,
 * ResourceSpans, ScopeSpans), including unknown ones. Envelopes without a span are left out.
 *
 * The request must have been accepted by the walk, and have at least one span.
 */
export function assembleRequest(source: MessageBytes, table: SpanTable): Uint8Array<ArrayBuffer> {
  assert(table.spanCount > 0, "an assembled request has a span");
  const assembly: Assembly = { bytes: source.bytes, table, pieces: [], lengthBytes: 0 };
  addOtherFields(assembly, source, fieldRuns(source, RESOURCE_SPANS_FIELD));
  for (let first = 0; first < table.spanCount;) {
    const rows = { first, last: lastRowAlike(table, table.resourceOffset, first) };
    addMessage(assembly, RESOURCE_SPANS_FIELD, () => addResourceSpans(assembly, rows));
    first = rows.last + 1;
  }
  return concatenate(assembly.pieces);
}

interface Assembly {
  readonly bytes: Uint8Array;
  readonly table: SpanTable;
  readonly pieces: Uint8Array[];
  lengthBytes: number;
}

/** A range of spans by row, both ends included. */
interface Rows {
  readonly first: number;
  readonly last: number;
}

function addResourceSpans(assembly: Assembly, rows: Rows): void {
  const { bytes, table } = assembly;
  const context = table.spanContext[rows.first]!;
  const [offset, length] = [table.resourceOffset[context]!, table.resourceLength[context]!];
  const message = { bytes, offset, length };
  addOtherFields(assembly, message, fieldRuns(message, SCOPE_SPANS_FIELD));
  for (let first = rows.first; first <= rows.last;) {
    const scopeRows = { first, last: lastRowAlike(table, table.scopeOffset, first) };
    addMessage(assembly, SCOPE_SPANS_FIELD, () => addScopeSpans(assembly, scopeRows));
    first = scopeRows.last + 1;
  }
}

function addScopeSpans(assembly: Assembly, rows: Rows): void {
  const { bytes, table } = assembly;
  const context = table.spanContext[rows.first]!;
  const [offset, length] = [table.scopeOffset[context]!, table.scopeLength[context]!];
  const message = { bytes, offset, length };
  const run = knownRun(table, context);
  addOtherFields(assembly, message, run === undefined ? fieldRuns(message, SPANS_FIELD) : [run]);
  if (areNeighbours(table, rows)) addSpanRun(assembly, rows);
  else
    for (let row = rows.first; row <= rows.last; row += 1) {
      addSpanRun(assembly, { first: row, last: row });
    }
}

function knownRun(table: SpanTable, context: number): ByteRange | undefined {
  const [start, end] = [table.spansStart[context]!, table.spansEnd[context]!];
  return end === 0 ? undefined : { start, end };
}

/**
 * Reports whether nothing but spans, with tags and lengths of the shortest form, lies between these
 * spans; they can then be copied in one piece. Every tag and length takes at least these bytes, so
 * an equal sum leaves no room for anything else.
 */
function areNeighbours(table: SpanTable, rows: Rows): boolean {
  let expectedBytes = table.spanLength[rows.first]!;
  for (let row = rows.first + 1; row <= rows.last; row += 1) {
    const lengthBytes = table.spanLength[row]!;
    expectedBytes += 1 + varintSize(lengthBytes) + lengthBytes;
  }
  return expectedBytes === spanEnd(table, rows.last) - table.spanOffset[rows.first]!;
}

function addSpanRun(assembly: Assembly, rows: Rows): void {
  const { bytes, table } = assembly;
  add(assembly, fieldHead(SPANS_FIELD, table.spanLength[rows.first]!));
  add(assembly, bytes.subarray(table.spanOffset[rows.first]!, spanEnd(table, rows.last)));
}

function spanEnd(table: SpanTable, row: number): number {
  return table.spanOffset[row]! + table.spanLength[row]!;
}

/** Returns the last row from `first` on whose context has the same value in `column`. */
function lastRowAlike(table: SpanTable, column: Uint32Array, first: number): number {
  const wanted = column[table.spanContext[first]!];
  let last = first;
  while (last + 1 < table.spanCount && column[table.spanContext[last + 1]!] === wanted) last += 1;
  return last;
}

/** Adds every field of a message except those in `runs`. */
function addOtherFields(assembly: Assembly, message: MessageBytes, runs: ByteRange[]): void {
  const { bytes, offset, length } = message;
  let keptFrom = offset;
  for (const { start, end } of runs) {
    if (keptFrom < start) add(assembly, bytes.subarray(keptFrom, start));
    keptFrom = end;
  }
  if (keptFrom < offset + length) add(assembly, bytes.subarray(keptFrom, offset + length));
}

/** Adds a field that holds a message. It reserves space for the head before the length is known. */
function addMessage(assembly: Assembly, field: number, addBody: () => void): void {
  const headIndex = assembly.pieces.length;
  assembly.pieces.push(assembly.bytes.subarray(0, 0));
  const before = assembly.lengthBytes;
  addBody();
  const head = fieldHead(field, assembly.lengthBytes - before);
  assembly.pieces[headIndex] = head;
  assembly.lengthBytes += head.length;
}

/** Returns a tag and a length. All fields written here have one-byte tags. */
function fieldHead(field: number, bodyBytes: number): Uint8Array {
  const head = new Uint8Array(1 + varintSize(bodyBytes));
  head[0] = (field << 3) | WIRE_BYTES;
  writeVarint(head, 1, bodyBytes);
  return head;
}

function add(assembly: Assembly, piece: Uint8Array): void {
  assembly.pieces.push(piece);
  assembly.lengthBytes += piece.length;
}

/** Returns a new array with the bytes of all pieces, in order. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Returns a request with only these spans of another request, each with its envelopes; see
 * `assembleRequest`. The runs must ascend.
 *
 * The walk must have accepted all spans of the request, and there must be at least one.
 */
export function cutRequest(
  request: Uint8Array,
  ...runs: readonly SpanRange[]
): Uint8Array<ArrayBuffer> {
  const whole = { bytes: request, offset: 0, length: request.length };
  return assembleRequest(whole, rowsOf(everySpan(whole), ...runs));
}
