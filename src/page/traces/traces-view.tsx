import { useRef, useState } from "preact/hooks";
import type { ApiError } from "../client/api.ts";
import { goTo, place } from "../client/location.ts";
import { usePolling } from "../client/polling.ts";
import { statsHistory } from "../client/stats-feed.ts";
import { type Chip, chipsOf, queryOf } from "../model/filters.ts";
import { amountText, countText } from "../model/format.ts";
import { isGone, MAX_TRACES, type TraceFeed, type TraceSummary } from "../model/trace-feed.ts";
import { useKeys } from "../parts/keys.ts";
import { VirtualList } from "../parts/virtual-list.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { readOn } from "./read-on.ts";
import { TraceRow } from "./trace-row.tsx";

const PERIOD_MS = 1000;

/** Lists the traces, newest first, as they arrive. */
export function TracesView({ renderEmpty }: { renderEmpty: () => preact.JSX.Element }) {
  const query = queryOf(chipsOf(place.value.query));
  const comparedId = new URLSearchParams(place.value.query).get("compare") ?? undefined;
  const list = useFeed(query);
  const { shown, isLoaded, mistake } = list;
  const isNone = isLoaded && shown.length === 0;
  if (isNone && query === "" && list.newCount === 0) return renderEmpty();
  return (
    <main class="traces">
      <h1 class="unseen">Traces</h1>
      <div class="bar">
        <FilterBar chips={chipsOf(query)} onChange={(chips) => goTo(listUrl(chips, comparedId))} />
        <Live list={list} />
      </div>
      {mistake !== undefined && <p role="alert">{mistake}</p>}
      {comparedId !== undefined && (
        <p class="choosing" role="status">
          <span>
            Choose a trace to compare with <code>{comparedId}</code>
          </span>
          <a href={listUrl(chipsOf(query), undefined)}>Cancel</a>
        </p>
      )}
      <Head />
      {isNone ? (
        <p class="none">No trace matches.</p>
      ) : (
        <TraceList list={list} query={query} comparedId={comparedId} />
      )}
    </main>
  );
}

/** Returns the URL of the list, in which a trace may be chosen for a comparison with another. */
function listUrl(chips: readonly Chip[], comparedId: string | undefined): string {
  const compared = comparedId === undefined ? "" : `compare=${comparedId}`;
  const query = [queryOf(chips), compared].filter((part) => part !== "").join("&");
  return query === "" ? "/" : `/?${query}`;
}

/** Returns where a row leads: to the trace, or to its comparison with the one chosen before. */
function rowUrl(traceId: string, comparedId: string | undefined): string {
  return comparedId === undefined ? `/traces/${traceId}` : `/compare/${comparedId}/${traceId}`;
}

interface TraceListProps {
  readonly list: Feed;
  readonly query: string;
  readonly comparedId: string | undefined;
}

function TraceList({ list, query, comparedId }: TraceListProps) {
  const { shown, feed, togglePause } = list;
  const buffered = statsHistory.value.latest?.sequence;
  const [selectedId, select] = useState<string>();
  const index = shown.findIndex(({ traceId }) => traceId === selectedId);
  const move = (step: number): void => {
    const target = shown[Math.min(shown.length - 1, Math.max(0, index + step))];
    if (target !== undefined) select(target.traceId);
  };
  const open = (): void => {
    if (selectedId !== undefined && index >= 0) goTo(rowUrl(selectedId, comparedId));
  };
  const choose = (): void => {
    if (index >= 0) goTo(listUrl(chipsOf(query), selectedId));
  };
  const moving = { j: () => move(1), k: () => move(-1) };
  useKeys({ ...moving, l: open, Enter: open, p: togglePause, x: choose });
  const longest = Math.max(1, ...shown.map(({ durationNano }) => Number(durationNano ?? 0)));
  return (
    <VirtualList
      items={shown}
      rowHeight={36}
      label="Traces"
      role="listbox"
      selected={index}
      activeId={index >= 0 ? `trace-${selectedId}` : undefined}
      renderRow={(trace, at) => (
        <TraceRow
          key={trace.traceId}
          trace={trace}
          url={rowUrl(trace.traceId, comparedId)}
          longestNano={longest}
          isSelected={at === index}
          isGone={isGone(trace, feed, buffered)}
        />
      )}
    />
  );
}

function Head() {
  return (
    <div class="trace-row head" aria-hidden="true">
      <span>Time</span>
      <span>Trace</span>
      <span class="number">Services</span>
      <span class="number">Spans</span>
      <span>Duration</span>
      <span class="number">Errors</span>
    </div>
  );
}

function Live({ list }: { list: Feed }) {
  const count = list.shown.length;
  return (
    <div class="live">
      {list.newCount > 0 && (
        <button type="button" class="primary" onClick={list.showNew}>
          {countText(list.newCount)} new
        </button>
      )}
      <span class="faint" title={count >= MAX_TRACES ? "The newest; use filters for older" : ""}>
        {amountText(count, "trace")}
      </span>
      <button type="button" aria-pressed={list.isPaused} onClick={list.togglePause}>
        {list.isPaused ? "Resume" : "Pause"}
      </button>
    </div>
  );
}

interface ReadFeed {
  readonly feed: TraceFeed;
  /** The filter with which it was read. */
  readonly query?: string;
  readonly mistake?: string;
}

/** Follows the traces of a filter. */
function useReadFeed(query: string): ReadFeed {
  const current = useRef<ReadFeed>({ feed: NO_TRACES });
  const [read, setRead] = useState(current.current);
  usePolling(
    async (signal) => {
      const old = current.current;
      const isSame = old.query === query && old.feed !== NO_TRACES;
      const next = await readOn(isSame ? old.feed : NO_TRACES, query).catch(
        (error: ApiError) => error,
      );
      if (signal.aborted) return;
      current.current =
        next instanceof Error ? afterError(old, next, query) : { feed: next, query };
      setRead(current.current);
    },
    PERIOD_MS,
    query,
  );
  return read;
}

const NO_TRACES: TraceFeed = { traces: [] };

/** Keeps what was read, unless spanring was started again since. */
function afterError(old: ReadFeed, { status, message }: ApiError, query: string): ReadFeed {
  if (status === 410) return { feed: NO_TRACES, query };
  return { feed: old.query === query ? old.feed : NO_TRACES, query, mistake: message };
}

interface Feed {
  readonly feed: TraceFeed;
  readonly shown: readonly TraceSummary[];
  readonly isLoaded: boolean;
  readonly mistake: string | undefined;
  readonly isPaused: boolean;
  /** How many traces have arrived since the list was paused. */
  readonly newCount: number;
  readonly showNew: () => void;
  readonly togglePause: () => void;
}

/** Adds the pause: the list stays as it is, and new traces are only counted. */
function useFeed(query: string): Feed {
  const { feed, query: readQuery, mistake } = useReadFeed(query);
  const [paused, setPaused] = useState<{ query: string; feed: TraceFeed }>();
  const isPaused = paused?.query === query;
  const shownFeed = isPaused ? paused.feed : readQuery === query ? feed : NO_TRACES;
  const shown = shownFeed.traces;
  const known = new Set(shown.map(({ traceId }) => traceId));
  const pause = (): void => setPaused({ query, feed });
  return {
    feed: shownFeed,
    shown,
    isLoaded: readQuery === query,
    mistake,
    isPaused,
    newCount: isPaused ? feed.traces.filter(({ traceId }) => !known.has(traceId)).length : 0,
    showNew: pause,
    togglePause: isPaused ? () => setPaused(undefined) : pause,
  };
}
