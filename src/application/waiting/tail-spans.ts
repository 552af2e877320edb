import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { turn } from "../querying/ring-scan.ts";
import type { CopiedSpans, SearchedBuffer } from "../../ports/trace-buffer.ts";

export interface TailParts {
  readonly buffer: SearchedBuffer;
  readonly arrivals: Pick<Arrivals, "onNext">;
}

export interface TailRequest {
  readonly filter: SpanFilter;
  /** The sequence after which the tail begins. */
  readonly after: number;
  /** Aborted when the reader has gone or the program stops. */
  readonly cancelled: AbortSignal;
}

/** Holds matching spans, and the number of spans evicted before they were scanned. */
export interface TailPiece extends CopiedSpans {
  readonly missedSpans: number;
}

/** Limits the size of a piece, so that little is copied ahead of the reader. */
const SPANS_PER_PIECE = 1024;
const MAX_MATCHES = 64;
/** Few, because the size of the spans is not known yet. */
const FIRST_MATCHES = 16;
/** The size that a piece should have at most, unless it has one span, by the sizes before it. */
const PIECE_BYTES = 256 * 1024;

/**
 * Yields spans as they arrive, at the pace of the reader. Spans that the reader has not requested
 * yet are only in the ring, so a slow reader costs nothing, and learns how many spans it missed.
 */
export async function* tailSpans(
  { buffer, arrivals }: TailParts,
  { filter, after, cancelled }: TailRequest,
): AsyncGenerator<TailPiece, void> {
  const matcher = compileFilter(filter);
  let at = after + 1;
  let maxMatches = FIRST_MATCHES;
  while (!cancelled.aborted) {
    const { first, next } = buffer.range();
    const missedSpans = Math.max(0, first - at);
    at += missedSpans;
    const range = { first: at, next: Math.min(next, at + SPANS_PER_PIECE) };
    const found: number[] = [];
    const visit = (sequence: number) => found.push(sequence) < maxMatches;
    buffer.visit({ matcher, newestFirst: false, range }, visit);
    at = found.length === maxMatches ? found.at(-1)! + 1 : Math.max(at, range.next);
    if (found.length > 0 || missedSpans > 0) {
      const copied = buffer.copy(found);
      if (found.length > 0) maxMatches = matchesAfter(copied);
      yield { ...copied, missedSpans };
    }
    // oxlint-disable-next-line no-await-in-loop -- each scan follows the previous one
    await (at < next ? turn() : arrival(arrivals, at, cancelled));
  }
}

/**
 * Returns the matches of the next piece, whose spans are likely to be as large as these. If these
 * were too large to be copied, the next one may fit alone.
 */
function matchesAfter({ request, sequences }: CopiedSpans): number {
  if (sequences.length === 0) return 1;
  const fitting = Math.floor((PIECE_BYTES * sequences.length) / request.length);
  return Math.max(1, Math.min(MAX_MATCHES, fitting));
}

/** Resolves when a span with this sequence has arrived, or on cancellation. */
function arrival(
  arrivals: TailParts["arrivals"],
  sequence: number,
  cancelled: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = () => resolve();
  const forget = arrivals.onNext(sequence, resolve);
  cancelled.addEventListener("abort", cancel);
  if (cancelled.aborted) cancel();
  return promise.finally(() => {
    forget();
    cancelled.removeEventListener("abort", cancel);
  });
}
