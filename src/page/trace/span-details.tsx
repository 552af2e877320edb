import { useState } from "preact/hooks";
import { clockText, durationText } from "../model/format.ts";
import { flagsText } from "../model/flags.ts";
import { KINDS } from "../model/otlp.ts";
import { peerText } from "../model/peer.ts";
import { durationOf, type TraceTree, type TreeSpan } from "../model/trace-tree.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { DroppedCount } from "../parts/dropped-count.tsx";
import { ServiceName } from "../parts/service-name.tsx";
import { Attributes } from "./attributes.tsx";
import { Events } from "./events.tsx";
import { LinkedFrom, Links } from "./links.tsx";

interface SpanDetailsProps {
  readonly tree: TraceTree;
  readonly each: TreeSpan;
  readonly close: () => void;
}

const STATUSES = ["unset", "ok", "error"];

/** Everything that a span says. */
export function SpanDetails({ tree, each, close }: SpanDetailsProps) {
  const [search, setSearch] = useState("");
  const { span } = each;
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
      <DroppedCount count={span.droppedAttributesCount} noun="attribute" />
      <Events events={span.events ?? []} start={each.start} search={search} />
      <DroppedCount count={span.droppedEventsCount} noun="event" />
      <Links links={span.links ?? []} search={search} />
      <DroppedCount count={span.droppedLinksCount} noun="link" />
      <LinkedFrom span={span} />
      <Origin each={each} search={search} />
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
    ["End", clockText(end ?? null)],
    ["Duration", end === undefined ? "unknown: no end" : durationText(durationOf(each))],
    ["Span ID", <Id text={span.spanId} />],
    ["Parent", span.parentSpanId ? <Parent tree={tree} each={each} /> : "none: a root"],
    ["Trace ID", <Id text={span.traceId} />],
  ];
  const peer = peerText(each);
  if (peer !== "") rows.push(["Calls", peer]);
  if (span.flags) rows.push(["Flags", flagsText(span.flags, "parent")]);
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

/** The resource and the scope of a span. */
function Origin({ each, search }: { each: TreeSpan; search: string }) {
  const { resource, scope } = each;
  return (
    <>
      <Attributes title="Resource" attributes={resource?.attributes} search={search} canFilter />
      <DroppedCount
        count={resource?.droppedAttributesCount}
        noun="attribute"
        where="of the resource"
      />
      <Schema url={each.resourceSchemaUrl} />
      {scope?.name && (
        <p class="scope">
          Scope <code>{[scope.name, scope.version].filter(Boolean).join(" ")}</code>
        </p>
      )}
      <Attributes title="Scope" attributes={scope?.attributes} search={search} />
      <DroppedCount count={scope?.droppedAttributesCount} noun="attribute" where="of the scope" />
      <Schema url={each.scopeSchemaUrl} />
    </>
  );
}

function Schema({ url }: { url: string }) {
  if (url === "") return null;
  return (
    <p class="faint">
      Schema <code>{url}</code>
    </p>
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
