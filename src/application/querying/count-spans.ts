import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import { scanRing } from "./ring-scan.ts";
import type { CopiedSpans } from "../../domain/buffered-spans.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";

/** How many buffered spans match, and the newest few of them. */
export interface CountedSpans {
  readonly count: number;
  readonly newest: CopiedSpans;
}

const NEWEST_SHOWN = 5;

/** Ends early, with what was counted so far, when it is not wanted any more. */
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
