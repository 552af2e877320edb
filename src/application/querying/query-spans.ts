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
  const { newestFirst } = query;
  const matcher = compileFilter(query.filter);
  const parts: CopiedSpans[] = [];
  let left = query.limit;
  const range = await scanRing(buffer, { ...query, matcher }, (piece) => {
    const found: number[] = [];
    buffer.visit({ matcher, newestFirst, range: piece }, (sequence) => found.push(sequence) < left);
    parts.push(buffer.copy(found));
    left -= found.length;
    return left > 0 ? undefined : found.at(-1);
  });
  return { ...joinedSpans(parts), range };
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
