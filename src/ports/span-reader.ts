import type {
  CopiedSpans,
  OldestSpans,
  Search,
  SequenceRange,
  Visit,
} from "../domain/buffered-spans.ts";
import type { BufferStats, ServiceStats } from "../domain/ledger.ts";

/** Tells which sequences are buffered. */
export interface SequenceSource {
  range(): SequenceRange;
}

/** Shows spans in place. */
export interface SpanVisits {
  visit(search: Search, visit: Visit): void;
}

/** Finds spans and copies those that were found. */
export interface SearchedBuffer extends SequenceSource, SpanVisits {
  /** Copies spans by their sequences, in the order given, without those that are gone. */
  copy(sequences: readonly number[]): CopiedSpans;
}

/** Reports the ledger. */
export interface LedgerSource {
  services(): ServiceStats[];
  stats(): BufferStats;
}

/** Reads spans without removing them. The bytes that it hands out are copies. */
export interface SpanReader extends SearchedBuffer, LedgerSource {
  /** Copies the oldest spans, `spanCount` of them or all that are buffered. */
  peek(spanCount: number): OldestSpans;
}
