import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import { concatenate } from "../../domain/wire/assemble.ts";
import { scanRing } from "./ring-scan.ts";
import { releaseBytes } from "../ring/release-bytes.ts";
import type { CopiedSpans, SequenceRange, SearchedBuffer } from "../../ports/trace-buffer.ts";

export interface SpanQuery {
  readonly filter: SpanFilter;
  /** Selects only spans with a greater sequence; 0 selects all. */
  readonly after: number;
  readonly limit: number;
  readonly newestFirst: boolean;
}

/** Holds matching spans, and the range in which there are no others. */
export interface SpanAnswer extends CopiedSpans {
  readonly range: SequenceRange;
}

/**
 * Returns copies of the matching spans. The ring is searched in pieces, so that spans can arrive in
 * between. Spans that are evicted before they are searched are outside the returned range.
 */
export async function querySpans(buffer: SearchedBuffer, query: SpanQuery): Promise<SpanAnswer> {
  const { parts, range } = await querySpanParts(buffer, query);
  return { ...joinedSpans(parts), range };
}

/** Holds matching spans as they were copied, and the range in which there are no others. */
export interface SpanParts {
  readonly parts: readonly CopiedSpans[];
  readonly range: SequenceRange;
}

/** Returns the same as `querySpans` without joining the copies, which takes as much again. */
export async function querySpanParts(buffer: SearchedBuffer, query: SpanQuery): Promise<SpanParts> {
  const { newestFirst } = query;
  const matcher = compileFilter(query.filter);
  const parts: CopiedSpans[] = [];
  let left = query.limit;
  let spansPerPiece = FIRST_PIECE_SPANS;
  const scan = { ...query, matcher, spansPerPiece: () => spansPerPiece };
  const range = await scanRing(buffer, scan, (piece) => {
    const found: number[] = [];
    buffer.visit({ matcher, newestFirst, range: piece }, (sequence) => found.push(sequence) < left);
    const copied = buffer.copy(found);
    parts.push(copied);
    spansPerPiece = nextPieceSpans(
      Math.min(spansPerPiece, piece.next - piece.first),
      copied.request.length,
    );
    left -= found.length;
    return left > 0 ? undefined : found.at(-1);
  });
  return { parts, range };
}

const FIRST_PIECE_SPANS = 128;
const MIN_PIECE_SPANS = 16;
/** The size of the copies of one piece, which take less than a millisecond. */
const PIECE_BYTES = 1024 * 1024;

/** Returns the number of spans in the next piece, from the bytes that were copied in this one. */
function nextPieceSpans(spans: number, copiedBytes: number): number {
  const growth = Math.min(2, PIECE_BYTES / copiedBytes);
  return Math.max(MIN_PIECE_SPANS, Math.floor(spans * growth));
}

/**
 * Joins several answers, and frees their memory, because together they may be as large as the ring.
 */
export function joinedSpans(parts: readonly CopiedSpans[]): CopiedSpans {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only;
  const joined = {
    request: concatenate(parts.map(({ request }) => request)),
    sequences: parts.flatMap(({ sequences }) => sequences),
  };
  for (const { request } of parts) releaseBytes(request);
  return joined;
}

/** Holds the number of matching spans, and the newest few of them. */
export interface CountedSpans {
  readonly count: number;
  readonly newest: CopiedSpans;
}

const NEWEST_SHOWN = 5;

/** Counts matching spans. Ends early with the count so far if the count is no longer wanted. */
export async function countSpans(
  buffer: SearchedBuffer,
  filter: SpanFilter,
  after = 0,
  isUnwanted = () => false,
): Promise<CountedSpans> {
  const matcher = compileFilter(filter);
  const newest: number[] = [];
  let count = 0;
  await scanRing(buffer, { matcher, after, newestFirst: true }, (range) => {
    if (isUnwanted()) return range.first;
    buffer.visit({ matcher, newestFirst: true, range }, (sequence) => {
      if (count < NEWEST_SHOWN) newest.push(sequence);
      count += 1;
      return true;
    });
    return undefined;
  });
  return { count, newest: buffer.copy(newest) };
}
