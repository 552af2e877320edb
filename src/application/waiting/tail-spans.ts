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
  /** The first span that is looked at has the next sequence. */
  readonly after: number;
  /** The reader has gone, or the program stops. */
  readonly cancelled: AbortSignal;
}

/** Spans that match, and how many were evicted before they could be looked at. */
export interface TailPiece extends CopiedSpans {
  readonly missedSpans: number;
}

/** What is looked at and handed over in one go: a reader is never far behind its bytes. */
const SPANS_A_GO = 1024;
const MATCHES_A_GO = 64;

/**
 * Spans as they arrive, pulled by their reader. What a reader has not asked for yet is in the ring
 * and nowhere else: so one that is too slow costs nothing, and is told what it missed.
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
    const range = { first: at, next: Math.min(next, at + SPANS_A_GO) };
    const found: number[] = [];
    const visit = (sequence: number) => found.push(sequence) < MATCHES_A_GO;
    buffer.visit({ matcher, newestFirst: false, range }, visit);
    at = found.length === MATCHES_A_GO ? found.at(-1)! + 1 : Math.max(at, range.next);
    if (found.length > 0 || missedSpans > 0) yield { ...buffer.copy(found), missedSpans };
    // oxlint-disable-next-line no-await-in-loop -- what comes next is looked at then
    await (at < next ? turn() : arrival(arrivals, at, cancelled));
  }
}

/** Resolves when there is a span with this sequence, or when nobody wants it any more. */
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
