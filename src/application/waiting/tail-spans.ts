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
const MATCHES_PER_PIECE = 64;

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
  while (!cancelled.aborted) {
    const { first, next } = buffer.range();
    const missedSpans = Math.max(0, first - at);
    at += missedSpans;
    const range = { first: at, next: Math.min(next, at + SPANS_PER_PIECE) };
    const found: number[] = [];
    const visit = (sequence: number) => found.push(sequence) < MATCHES_PER_PIECE;
    buffer.visit({ matcher, newestFirst: false, range }, visit);
    at = found.length === MATCHES_PER_PIECE ? found.at(-1)! + 1 : Math.max(at, range.next);
    if (found.length > 0 || missedSpans > 0) yield { ...buffer.copy(found), missedSpans };
    // oxlint-disable-next-line no-await-in-loop -- each scan follows the previous one
    await (at < next ? turn() : arrival(arrivals, at, cancelled));
  }
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
