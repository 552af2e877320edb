import type { OldestSpans } from "../domain/buffered-spans.ts";
import type { FillLevel, RoomCheck, SpanAppender } from "./span-intake.ts";
import type { ForwardedBuffer } from "./span-leases.ts";
import type { SequenceSource, SpanReader, SpanVisits } from "./span-reader.ts";

/** Removes spans for a reader. */
export interface SpanTaker {
  /** Removes and returns the oldest spans that are not leased, `spanCount` of them or all. */
  take(spanCount: number): OldestSpans;
  /** Removes all spans that are not leased; returns their number. */
  clear(): number;
}

/** Takes in spans and shows those that have arrived to waiting readers. */
export interface WatchedBuffer extends SpanAppender, SequenceSource, SpanVisits, SpanTaker {}

/** Everything that listeners, readers and the forwarder share. */
export interface TraceBuffer
  extends SpanAppender, RoomCheck, SpanReader, SpanTaker, ForwardedBuffer, FillLevel {}
