import type { SpanBatch } from "../../../src/ports/span-sink.ts";
import { requestOf } from "./request-bytes.ts";

/** For what is not to be given up. */
export const never = new AbortController().signal;

/** Of short spans, numbered from `first`. */
export function batchOf(spanCount: number, first = 1): SpanBatch {
  return { request: requestOf(spanCount, first), spanCount };
}
