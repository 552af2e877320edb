import { useState } from "preact/hooks";
import { clockText, durationText } from "../model/format.ts";
import { KINDS, type OtlpLink } from "../model/otlp.ts";
import { durationOf, type TraceTree, type TreeSpan } from "../model/trace-tree.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { ServiceName } from "../parts/service-name.tsx";
import { Attributes } from "./attributes.tsx";
import { Events } from "./events.tsx";

interface SpanDetailsProps {
  readonly tree: TraceTree;
  readonly each: TreeSpan;
  readonly close: () => void;
}

const STATUSES = ["unset", "ok", "error"];

/** Everything that a span says. */
export function SpanDetails({ tree, each, close }: SpanDetailsProps) {
  const [search, setSearch] = useState("");
  const { span, resource, scope } = each;
  return (
    <aside class="span-details" aria-label="Span">
      <header>
        <h2>{span.name || "(no name)"}</h2>
        <button type="button" class="quiet" aria-label="Close the span" onClick={close}>
          ×
        </button>
      </header>
      {span.status?.message && <p class="status-message">{span.status.message}</p>}
      <Facts tree={tree} each={each} />
      <input
        type="search"
        class="attribute-search"
        aria-label="Search attributes"
        placeholder="Search attributes"
        onInput={(event) => setSearch(event.currentTarget.value.toLowerCase())}
      />
      <Attributes title="Attributes" attributes={span.attributes} search={search} canFilter />
      <Dropped count={span.droppedAttributesCount} noun="attributes" />
      <Events events={span.events ?? []} start={each.start} search={search} />
      <Dropped count={span.droppedEventsCount} noun="events" />
      <Links links={span.links ?? []} search={search} />
      <Dropped count={span.droppedLinksCount} noun="links" />
      <Attributes title="Resource" attributes={resource?.attributes} search={search} canFilter />
      {scope?.name && (
        <p class="scope">
          Scope <code>{[scope.name, scope.version].filter(Boolean).join(" ")}</code>
        </p>
      )}
      <Attributes title="Scope" attributes={scope?.attributes} search={search} />
      <RawJson each={each} />
    </aside>
  );
}

function Facts({ tree, each }: Pick<SpanDetailsProps, "tree" | "each">) {
  const { span, start, end } = each;
  const offset = start === undefined ? null : Number(start - tree.start);
  const rows: [string, preact.ComponentChildren][] = [
    ["Service", <ServiceName service={each.service} />],
    ["Status", STATUSES[span.status?.code ?? 0] ?? String(span.status?.code)],
    ["Kind", KINDS[span.kind ?? 0] ?? String(span.kind)],
    ["Start", `${clockText(start ?? null)}${offset === null ? "" : ` (+${durationText(offset)})`}`],
    ["Duration", end === undefined ? "unknown: no end" : durationText(durationOf(each))],
    ["Span ID", <Id text={span.spanId} />],
    ["Parent", span.parentSpanId ? <Parent tree={tree} each={each} /> : "none: a root"],
    ["Trace ID", <Id text={span.traceId} />],
  ];
  if (span.traceState) rows.push(["State", <code>{span.traceState}</code>]);
  return (
    <dl class="facts-list">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Id({ text }: { text: string }) {
  return (
    <>
      <code>{text}</code> <CopyButton text={text} />
    </>
  );
}

function Parent({ tree, each }: Pick<SpanDetailsProps, "tree" | "each">) {
  const { traceId, parentSpanId = "" } = each.span;
  const parent = tree.byId.get(parentSpanId);
  if (parent === undefined) return <span>{parentSpanId}, not buffered</span>;
  return <a href={`/traces/${traceId}?span=${parentSpanId}`}>{parent.span.name}</a>;
}

function Links({ links, search }: { links: readonly OtlpLink[]; search: string }) {
  if (links.length === 0) return null;
  return (
    <section>
      <h3>Links</h3>
      {links.map((link, at) => (
        <div key={at} class="event-box">
          <a href={`/traces/${link.traceId}?span=${link.spanId}`}>
            Span <code>{link.spanId}</code> of trace <code>{link.traceId}</code>
          </a>
          <Attributes attributes={link.attributes} search={search} />
        </div>
      ))}
    </section>
  );
}

function Dropped({ count = 0, noun }: { count?: number | undefined; noun: string }) {
  if (count === 0) return null;
  return (
    <p class="faint">
      The SDK dropped {count} {noun}.
    </p>
  );
}

function RawJson({ each }: { each: TreeSpan }) {
  const { span, resource, scope } = each;
  const text = JSON.stringify({ resource, scope, span }, null, 2);
  return (
    <details>
      <summary>Raw JSON</summary>
      <CopyButton text={text} label="Copy JSON" />
      <pre tabIndex={0}>{text}</pre>
    </details>
  );
}
