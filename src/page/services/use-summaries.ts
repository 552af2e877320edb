import { useRef, useState } from "preact/hooks";
import { type ApiError, requestJson } from "../client/api.ts";
import { usePolling } from "../client/polling.ts";
import { statsHistory } from "../client/stats-feed.ts";
import {
  type Operations,
  restMs,
  type SequenceRange,
  type ServiceGraph,
} from "../model/service-graph.ts";

/** What the buffer holds, as last read. */
export interface Summaries {
  readonly operations?: Operations;
  readonly graph?: ServiceGraph;
  readonly mistake?: string;
}

interface LiveSummaries extends Summaries {
  readonly isPaused: boolean;
  readonly togglePause: () => void;
}

const PERIOD_MS = 500;

/**
 * Reads operations and calls while the view is shown, when the buffer has changed. Both search the
 * whole buffer, so a page rests nine times as long as they took.
 */
export function useSummaries(): LiveSummaries {
  const [summaries, setSummaries] = useState<Summaries>({});
  const [isPaused, setPaused] = useState(false);
  const pace = useRef({ isPaused: false, restUntil: 0, range: "" });
  pace.current.isPaused = isPaused;
  usePolling(
    async (signal) => {
      const { current } = pace;
      if (current.isPaused || performance.now() < current.restUntil) return;
      if (current.range !== "" && current.range === bufferedRange()) return;
      const began = performance.now();
      const read = await readSummaries().catch(({ message }: ApiError) => ({ mistake: message }));
      current.restUntil = performance.now() + restMs(performance.now() - began);
      if (signal.aborted || current.isPaused) return;
      if ("operations" in read) current.range = rangeText(read.operations.sequence);
      setSummaries((old) => ("mistake" in read ? { ...old, ...read } : read));
    },
    PERIOD_MS,
    undefined,
  );
  return { ...summaries, isPaused, togglePause: () => setPaused(!isPaused) };
}

async function readSummaries(): Promise<{ operations: Operations; graph: ServiceGraph }> {
  const operations = await requestJson<Operations>("/api/operations");
  const graph = await requestJson<ServiceGraph>("/api/service-graph");
  return { operations, graph };
}

/** Returns the spans that are buffered, as of the last second. */
function bufferedRange(): string {
  const { latest } = statsHistory.value;
  return latest === undefined ? "" : rangeText(latest.sequence);
}

function rangeText({ run_id: run, first, next }: SequenceRange): string {
  return `${run} ${first} ${next}`;
}
