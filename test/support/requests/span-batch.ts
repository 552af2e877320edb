import type { SpanBatch } from "../../../src/ports/span-sink.ts";
import { requestOf } from "./request-bytes.ts";

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** Returns a batch of short spans, numbered from `first`. */
export function batchOf(spanCount: number, first = 1): SpanBatch {
  return { request: requestOf(spanCount, first), spanCount };
}
