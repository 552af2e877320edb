/** A summary of the API. */
export interface TraceSummary {
  readonly traceId: string;
  readonly root: string | null;
  readonly rootService: string | null;
  readonly services: readonly string[];
  readonly spans: number;
  readonly errors: number;
  readonly startTimeUnixNano: string | null;
  readonly durationNano: string | null;
  /** The sequence of its newest span. */
  readonly lastSequence: number;
}

/** A response of `/api/traces`. */
export interface TracesBody {
  readonly traces: readonly TraceSummary[];
  readonly sequence: SequenceRange;
}

/** The traces of a filter, newest first, and how far the buffer has been read for them. */
export interface TraceFeed {
  readonly traces: readonly TraceSummary[];
  /** Continues the search; undefined before the first response. */
  readonly after?: string;
  readonly runId?: string;
}

/** The spans of a run from `first` up to, but not including, `next`. */
interface SequenceRange {
  readonly run_id: string;
  readonly first: number;
  readonly next: number;
}

/**
 * Reports whether no span of a trace that the feed has read is in memory any more, because they
 * were evicted, taken or delivered, or spanring was started again.
 */
export function isGone(
  { lastSequence }: TraceSummary,
  { runId }: TraceFeed,
  buffered: SequenceRange | undefined,
): boolean {
  if (buffered === undefined) return false;
  return buffered.run_id !== runId || lastSequence < buffered.first;
}

/** How many traces the list holds. Older ones are found by filters. */
export const MAX_TRACES = 1000;

/** Adds the newer summaries: known traces keep their place, new ones come first. */
export function advance(feed: TraceFeed, { traces, sequence }: TracesBody): TraceFeed {
  const newer = new Map(traces.map((each) => [each.traceId, each]));
  const kept = feed.traces.map((each) => {
    const updated = newer.get(each.traceId);
    newer.delete(each.traceId);
    return updated ?? each;
  });
  const after = `${sequence.run_id}-${sequence.next - 1}`;
  return {
    traces: [...newer.values(), ...kept].slice(0, MAX_TRACES),
    after,
    runId: sequence.run_id,
  };
}
