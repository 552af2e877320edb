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
}

/** A response of `/api/traces`. */
export interface TracesBody {
  readonly traces: readonly TraceSummary[];
  readonly sequence: { readonly run_id: string; readonly first: number; readonly next: number };
}

/** The traces of a filter, newest first, and how far the buffer has been read for them. */
export interface TraceFeed {
  readonly traces: readonly TraceSummary[];
  /** Continues the search; undefined before the first response. */
  readonly after?: string;
  readonly runId?: string;
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
