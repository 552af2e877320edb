import { assembleRequest, concatenate } from "../../domain/wire/assemble.ts";
import { everySpan, rowsOf, type SpanTable } from "../../domain/wire/request-spans.ts";
import { type LogState, segmentOf } from "./log-state.ts";
import { extentOf, freeRanges, type Segment, type SpanAmount } from "./segment.ts";
import { addRange, type SequenceRange } from "./sequence-ranges.ts";
import type { StoredRequest } from "./stored-request.ts";

/**
 * Spans that were read from the disk for sending. They stay stored, and no other lease gets them,
 * until each is settled, exactly once.
 */
export interface LogLease {
  // Fixed at construction.
  /** The spans as one request, with the sequence and length of each, in its order. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly sequences: readonly number[];
  readonly lengthBytes: Uint32Array;
  /** The service of each span, as the memory knows it; zeros without a memory. */
  readonly services: Uint32Array;

  // Changed by `settleLease`: 1 for each settled span.
  readonly settled: Uint8Array;
}

/** Returns the free spans of a segment, or of a part of it, before `end`. */
export function leasableIn(
  segment: Segment,
  end: number,
  part = extentOf(segment),
): SequenceRange[] {
  return freeRanges(segment, { first: part.first, end: Math.min(part.end, end) });
}

export function extentOfRequest({ firstSequence, spanCount }: StoredRequest): SequenceRange {
  return { first: firstSequence, end: firstSequence + spanCount };
}

/** Selects the spans that are still free from those read, and leases them. */
export function selectSpans(
  state: LogState,
  { requests, end }: { readonly requests: readonly RequestSpans[]; readonly end: number },
  limit: SpanAmount,
): LogLease | undefined {
  const selection = emptySelection(requests);
  for (const from of requests) {
    const segment = segmentOf(state, from.request.firstSequence);
    if (segment === undefined) continue;
    for (const range of leasableIn(segment, end, extentOfRequest(from.request))) {
      const part = selectFitting(selection, { from, range }, limit);
      addRange(segment.leased, part);
      segment.leasedBytes += part.bytes;
      if (part.end < range.end) return leaseOf(selection);
    }
  }
  return leaseOf(selection);
}

/** A request, with the places and services of its spans. */
export interface RequestSpans {
  readonly request: StoredRequest;
  readonly table: SpanTable;
  /** The service of each context. */
  readonly services: Uint32Array | undefined;
}

/**
 * Finds the spans of a request. It looks at each of them once, and no deeper than its length,
 * because the walk accepted the request before it was logged.
 */
export function spansOf({ parts: { memory } }: LogState, request: StoredRequest): RequestSpans {
  const { bytes, spanCount } = request;
  const table = everySpan({ bytes, offset: 0, length: bytes.length }, spanCount);
  return { request, table, services: memory?.services({ ...table, request: bytes }) };
}

interface Selection {
  readonly pieces: Uint8Array[];
  readonly sequences: number[];
  /** With a row for each span that was read, of which the first ones are used. */
  readonly lengths: Uint32Array;
  readonly services: Uint32Array;
  bytes: number;
}

function emptySelection(requests: readonly RequestSpans[]): Selection {
  const rows = requests.reduce((sum, { request }) => sum + request.spanCount, 0);
  const columns = { lengths: new Uint32Array(rows), services: new Uint32Array(rows) };
  return { pieces: [], sequences: [], ...columns, bytes: 0 };
}

/** Selects the spans of a free range that the limit allows; returns their part and size. */
function selectFitting(
  selection: Selection,
  { from, range }: { readonly from: RequestSpans; readonly range: SequenceRange },
  limit: SpanAmount,
): SequenceRange & { readonly bytes: number } {
  const { request, table, services } = from;
  const { sequences, lengths } = selection;
  const before = selection.bytes;
  let end = range.first;
  for (; end < range.end; end += 1) {
    const row = end - request.firstSequence;
    const bytes = selection.bytes + table.spanLength[row]!;
    const { length: at } = sequences;
    if (at >= limit.spans || (at > 0 && bytes > limit.bytes)) break;
    lengths[at] = table.spanLength[row]!;
    selection.services[at] = services?.[table.spanContext[row]!] ?? 0;
    sequences.push(end);
    selection.bytes = bytes;
  }
  if (range.first < end) selection.pieces.push(pieceOf(from, { first: range.first, end }));
  return { first: range.first, end, bytes: selection.bytes - before };
}

function pieceOf({ request, table }: RequestSpans, { first, end }: SequenceRange): Uint8Array {
  const { bytes, firstSequence, spanCount } = request;
  if (end - first === spanCount) return bytes;
  const rows = rowsOf(table, { first: first - firstSequence, end: end - firstSequence });
  return assembleRequest({ bytes, offset: 0, length: bytes.length }, rows);
}

function leaseOf({ pieces, sequences, lengths, services }: Selection): LogLease | undefined {
  const { length } = sequences;
  if (length === 0) return undefined;
  return {
    request: concatenate(pieces),
    sequences,
    lengthBytes: lengths.subarray(0, length),
    services: services.subarray(0, length),
    settled: new Uint8Array(length),
  };
}
