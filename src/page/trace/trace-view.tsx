import { useMemo, useRef, useState } from "preact/hooks";
import { type ApiError, download, requestJson } from "../client/api.ts";
import { goTo, place } from "../client/location.ts";
import { usePolling } from "../client/polling.ts";
import { amountText, clockText, durationText } from "../model/format.ts";
import type { TracesData } from "../model/otlp.ts";
import { findSpans } from "../model/find-spans.ts";
import {
  criticalPath,
  serviceShares,
  shownSpans,
  type TraceTree,
  traceTree,
} from "../model/trace-tree.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { useKeys } from "../parts/keys.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { FindBar } from "./find-bar.tsx";
import { SpanDetails } from "./span-details.tsx";
import { Waterfall } from "./waterfall.tsx";

const PERIOD_MS = 2000;

/** Shows one trace as a waterfall, and the selected span beside it. */
export function TraceView({ traceId }: { traceId: string }) {
  const { tree, mistake } = useTrace(traceId);
  if (tree === undefined) {
    return <main class="none">{mistake === undefined ? "" : <p role="alert">{mistake}</p>}</main>;
  }
  return <LoadedTrace traceId={traceId} tree={tree} mistake={mistake} />;
}

interface LoadedProps {
  readonly traceId: string;
  readonly tree: TraceTree;
  readonly mistake: string | undefined;
}

function LoadedTrace({ traceId, tree, mistake }: LoadedProps) {
  const [isCritical, setCritical] = useState(false);
  const [text, setText] = useState("");
  const { selectedId, selected, select, openAll, ...rows } = useRows(traceId, tree);
  const matches = useMemo(() => (text === "" ? [] : findSpans(tree, text)), [tree, text]);
  const path = useMemo(() => (isCritical ? criticalPath(tree) : undefined), [tree, isCritical]);
  const marked = useMemo(() => (matches.length === 0 ? path : new Set(matches)), [matches, path]);
  const show = (spanId: string): void => {
    openAll();
    select(spanId);
  };
  useKeys({ c: () => setCritical(!isCritical) });
  const isUnknownSpan = selectedId !== undefined && selected === undefined;
  return (
    <main class={selected === undefined ? "trace" : "trace with-span"}>
      <section class="trace-main" aria-label="Trace">
        <Heading traceId={traceId} tree={tree} isCritical={isCritical} setCritical={setCritical} />
        <Notes tree={tree} mistake={mistake} isUnknownSpan={isUnknownSpan} />
        <FindBar {...{ text, setText, matches, selected: selectedId, select: show }} />
        <Waterfall tree={tree} marked={marked} select={select} {...rows} />
      </section>
      {selected !== undefined && (
        <SpanDetails key={selectedId} tree={tree} each={selected} close={() => select()} />
      )}
    </main>
  );
}

/** The rows to show, and the selected one, which the URL names; with the keys that change them. */
function useRows(traceId: string, tree: TraceTree) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const shown = useMemo(() => shownSpans(tree, collapsed), [tree, collapsed]);
  const selectedId = new URLSearchParams(place.value.query).get("span") ?? undefined;
  const selected = selectedId === undefined ? undefined : tree.byId.get(selectedId);
  const index = selected === undefined ? -1 : shown.indexOf(selected);
  const select = (spanId?: string): void =>
    goTo(`/traces/${traceId}${spanId === undefined ? "" : `?span=${spanId}`}`, true);
  const toggle = (spanId: string): void =>
    setCollapsed((old) => old.symmetricDifference(new Set([spanId])));
  const openAll = (): void => setCollapsed(new Set());
  const move = (step: number): void => {
    const target = shown[Math.min(shown.length - 1, Math.max(0, index + step))];
    if (target !== undefined) select(target.span.spanId);
  };
  const expand = (): void => {
    if (selectedId !== undefined && collapsed.has(selectedId)) toggle(selectedId);
    else move(1);
  };
  const collapse = (): void => {
    const { spanId = "", parentSpanId = "" } = selected?.span ?? {};
    if (selected?.children.length && !collapsed.has(spanId)) toggle(spanId);
    else if (tree.byId.has(parentSpanId)) select(parentSpanId);
  };
  const leave = (): void => (selected === undefined ? goTo("/") : select());
  useKeys({ j: () => move(1), k: () => move(-1), l: expand, h: collapse, Escape: leave });
  return { collapsed, shown, selectedId, selected, index, select, toggle, openAll };
}

interface HeadingProps {
  readonly traceId: string;
  readonly tree: TraceTree;
  readonly isCritical: boolean;
  readonly setCritical: (isShown: boolean) => void;
}

function Heading({ traceId, tree, isCritical, setCritical }: HeadingProps) {
  const root = tree.spans[0]!;
  const save = (type: string, ending: string): void =>
    void download(`/api/traces/${traceId}`, type, `${traceId}.${ending}`);
  return (
    <header class="heading">
      <h1>
        <ServiceName service={root.service} /> {root.span.name}
      </h1>
      <p class="facts">
        <span class="mono">{clockText(root.start ?? null)}</span>
        <span class="mono">{durationText(tree.durationNano)}</span>
        <span>{amountText(tree.spans.length, "span")}</span>
        <span>{amountText(tree.services.length, "service")}</span>
        <span>depth {tree.depth}</span>
        {tree.errors > 0 && <span class="error-text">{amountText(tree.errors, "error")}</span>}
        <code>{traceId}</code>
        <CopyButton text={traceId} label="Copy ID" />
      </p>
      {tree.services.length > 1 && <Services tree={tree} />}
      <div class="actions">
        <button type="button" onClick={() => goTo(`/?compare=${traceId}`)}>
          Compare
        </button>
        <button type="button" aria-pressed={isCritical} onClick={() => setCritical(!isCritical)}>
          Critical path
        </button>
        <button type="button" onClick={() => save("application/json", "json")}>
          Save JSON
        </button>
        <button type="button" onClick={() => save("application/x-protobuf", "pb")}>
          Save protobuf
        </button>
      </div>
    </header>
  );
}

/** What the colours mean, and how much of the trace is of each service. */
function Services({ tree }: { tree: TraceTree }) {
  const shares = useMemo(() => serviceShares(tree), [tree]);
  return (
    <ul class="services-of-trace" aria-label="Services of this trace">
      {shares.map(({ service, spans, errors }) => (
        <li key={service}>
          <ServiceName service={service} /> <span class="mono faint">{spans}</span>
          {errors > 0 && <span class="error-text"> {amountText(errors, "error")}</span>}
        </li>
      ))}
    </ul>
  );
}

interface NotesProps {
  readonly tree: TraceTree;
  readonly mistake: string | undefined;
  readonly isUnknownSpan: boolean;
}

/** States openly what is missing or doubtful. */
function Notes({ tree, mistake, isUnknownSpan }: NotesProps) {
  const notes = [
    tree.orphans > 0 &&
      `${amountText(tree.orphans, "span")} without their parent: it has not ended or not arrived` +
        " yet, or was evicted.",
    tree.skewed > 0 &&
      `${amountText(tree.skewed, "span")} began before their parent: the clocks of their hosts` +
        " may differ.",
    isUnknownSpan && "The span of this URL is not buffered.",
    mistake !== undefined && `Shown as last read. ${mistake}`,
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return (
    <ul class="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}

interface Read {
  readonly tree?: TraceTree;
  readonly mistake?: string;
}

/** Reads a trace, and again when its number of spans has changed. */
export function useTrace(traceId: string): Read {
  const [read, setRead] = useState<Read>({});
  const known = useRef(-1);
  usePolling(
    async (signal) => {
      try {
        const spans = await countSpans(traceId);
        if (spans === known.current) return;
        const tree = traceTree(await requestJson<TracesData>(`/api/traces/${traceId}`));
        known.current = spans;
        if (!signal.aborted) setRead({ tree });
      } catch (error) {
        const mistake = (error as ApiError).message;
        if (!signal.aborted) setRead((old) => ({ ...old, mistake }));
      }
    },
    PERIOD_MS,
    traceId,
  );
  return read;
}

async function countSpans(traceId: string): Promise<number> {
  const path = `/api/traces?trace_id=${encodeURIComponent(traceId)}&limit=1`;
  const { traces } = await requestJson<{ traces: readonly { spans: number }[] }>(path);
  return traces[0]?.spans ?? 0;
}
