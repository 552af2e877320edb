import type { TraceSpan } from "../domain/trace-span.ts";

/** A bounded first-in, first-out buffer of spans. When it is full the oldest spans go first. */
export interface TraceBufferPort {
  /** Puts one span in. False when the span is not valid or there can be no room for it. */
  addSpan(span: TraceSpan): boolean;
  /** Removes and returns the oldest spans, oldest first: `count` of them, or all there are. */
  getSpans(count: number): TraceSpan[];
  /** Spans in the buffer now. */
  size(): number;
  /** Whether the next span can only get in by pushing out the oldest. */
  isFull(): boolean;
}
