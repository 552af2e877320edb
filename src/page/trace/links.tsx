import { useEffect, useState } from "preact/hooks";
import { requestJson } from "../client/api.ts";
import { flagsText } from "../model/flags.ts";
import type { OtlpLink, OtlpSpan, TracesData } from "../model/otlp.ts";
import { traceTree, type TreeSpan } from "../model/trace-tree.ts";
import { DroppedCount } from "../parts/dropped-count.tsx";
import { Attributes } from "./attributes.tsx";

/** The spans to which a span links. */
export function Links({ links, search }: { links: readonly OtlpLink[]; search: string }) {
  if (links.length === 0) return null;
  return (
    <section>
      <h3>
        Links <span class="faint">{links.length}</span>
      </h3>
      {links.map((link, at) => (
        <div key={at} class="event-box">
          <a href={`/traces/${link.traceId}?span=${link.spanId}`}>
            Span <code>{link.spanId}</code> of trace <code>{link.traceId}</code>
          </a>
          {link.traceState && (
            <p class="faint">
              State <code>{link.traceState}</code>
            </p>
          )}
          {link.flags !== undefined && link.flags !== 0 && (
            <p class="faint">Flags {flagsText(link.flags, "span")}</p>
          )}
          <Attributes attributes={link.attributes} search={search} />
          <DroppedCount count={link.droppedAttributesCount} noun="attribute" where="of this link" />
        </div>
      ))}
    </section>
  );
}

/** The maximum number of spans that are listed. */
const MAX_BACKLINKS = 100;

interface Backlinks {
  /** The newest of them. */
  readonly spans: readonly TreeSpan[];
  readonly mayBeMore: boolean;
}

const NONE: Backlinks = { spans: [], mayBeMore: false };

/** The buffered spans that link to a span, of any trace. */
export function LinkedFrom({ span }: { span: OtlpSpan }) {
  const { spans, mayBeMore } = useBacklinks(span);
  if (spans.length === 0) return null;
  return (
    <section>
      <h3>
        Linked from <span class="faint">{`${spans.length}${mayBeMore ? "+" : ""}`}</span>
      </h3>
      {spans.map(({ span: { traceId, spanId, name }, service }) => (
        <div key={traceId + spanId} class="event-box">
          <a href={`/traces/${traceId}?span=${spanId}`}>{name || "(no name)"}</a>{" "}
          <span class="faint">
            {service} · <code>{spanId}</code>
          </span>
        </div>
      ))}
    </section>
  );
}

function useBacklinks({ traceId, spanId }: OtlpSpan): Backlinks {
  const [backlinks, setBacklinks] = useState(NONE);
  useEffect(() => {
    let isShown = true;
    const path = `/api/spans?links_to=${spanId}&order=newest&limit=${MAX_BACKLINKS}`;
    const show = (data: TracesData): void => {
      if (isShown) setBacklinks(linkingTo(data, traceId, spanId));
    };
    // If the request fails, the rest of the span is shown all the same.
    void requestJson<TracesData>(path).then(show, () => {});
    return () => void (isShown = false);
  }, [traceId, spanId]);
  return backlinks;
}

/** Returns the spans with a link to this span of this trace; the API compares one identifier. */
function linkingTo(data: TracesData, traceId: string, spanId: string): Backlinks {
  const found = traceTree(data).spans;
  const spans = found.filter(({ span: { links = [] } }) =>
    links.some((link) => link.traceId === traceId && link.spanId === spanId),
  );
  return { spans, mayBeMore: found.length >= MAX_BACKLINKS };
}
