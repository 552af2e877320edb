import type { BufferStats } from "../domain/ledger.ts";

/** What a reader needs of the buffer. The bytes are the reader's own copy. */
export interface SpanReader {
  /**
   * The oldest `spanCount` spans, or all there are, as an `ExportTraceServiceRequest`; empty when
   * there is none. They stay in the buffer.
   */
  peek(spanCount: number): Uint8Array<ArrayBuffer>;
  /** The same, and removes them. */
  take(spanCount: number): Uint8Array<ArrayBuffer>;
  stats(): BufferStats;
}
