import { traceKey } from "./filter-key.ts";
import type { SpanMatcher } from "./span-matcher.ts";

/** The bits of a tail that select a mark; a tail is the last four bytes of a trace id. */
export const MARK_BITS = 0xffff;

/**
 * Returns a matcher for the spans of any of these traces, by the tails of their ids: a span of
 * another trace matches if its id has the same tail, which is rare.
 */
export function tracesMatcher(traceIds: Iterable<string>): SpanMatcher {
  const tails = new Set(Array.from(traceIds, (traceId) => traceKey(traceId).tail));
  const tailMarks = new Uint8Array(MARK_BITS + 1);
  for (const tail of tails) tailMarks[tail & MARK_BITS] = 1;
  return {
    traceTail: undefined,
    tailMarks,
    reset: () => {},
    matches: ({ traceTail }) => tails.has(traceTail),
  };
}
