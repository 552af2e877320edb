import { useState } from "preact/hooks";
import { amountText, colourOf, durationText } from "../model/format.ts";
import { KINDS } from "../model/otlp.ts";
import { peerText } from "../model/peer.ts";
import { durationOf, type TraceTree, type TreeSpan } from "../model/trace-tree.ts";
import { VirtualList } from "../parts/virtual-list.tsx";
import { Minimap } from "./minimap.tsx";

export const ROW_HEIGHT = 28;

/** A trace with more spans has a minimap. */
const MINIMAP_SPANS = 50;

interface WaterfallProps {
  readonly tree: TraceTree;
  readonly shown: readonly TreeSpan[];
  readonly collapsed: ReadonlySet<string>;
  /** The selected row; -1 for none. */
  readonly index: number;
  /** The spans to which the others are only the background; undefined for none. */
  readonly marked: ReadonlySet<string> | undefined;
  readonly toggle: (spanId: string) => void;
  readonly select: (spanId: string) => void;
}

/** The spans of a trace, one row each, on a common axis of time. */
export function Waterfall(props: WaterfallProps) {
  const { tree, shown, collapsed, index, marked, toggle, select } = props;
  const [range, setRange] = useState({ first: 0, last: 0 });
  const selected = shown[index];
  return (
    <div class="waterfall">
      {shown.length > MINIMAP_SPANS && <Minimap tree={tree} shown={shown} range={range} />}
      <Axis tree={tree} />
      <VirtualList
        items={shown}
        rowHeight={ROW_HEIGHT}
        label="Spans"
        role="tree"
        selected={index}
        activeId={selected && `span-${selected.span.spanId}`}
        onScroll={setRange}
        renderRow={(each, at) => (
          <SpanRow
            key={each.span.spanId}
            tree={tree}
            each={each}
            isSelected={at === index}
            isOpen={!collapsed.has(each.span.spanId)}
            isFaint={marked !== undefined && !marked.has(each.span.spanId)}
            toggle={toggle}
            select={select}
          />
        )}
      />
    </div>
  );
}

const TICKS = [0, 0.25, 0.5, 0.75, 1];

function Axis({ tree }: { tree: TraceTree }) {
  return (
    <div class="axis" aria-hidden="true">
      <span />
      <div>
        {TICKS.map((share) => (
          <span key={share} class="mono" style={{ left: `${share * 100}%` }}>
            {share === 0 ? "0" : durationText(tree.durationNano * share)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface SpanRowProps {
  readonly tree: TraceTree;
  readonly each: TreeSpan;
  readonly isSelected: boolean;
  readonly isOpen: boolean;
  readonly isFaint: boolean;
  readonly toggle: (spanId: string) => void;
  readonly select: (spanId: string) => void;
}

/** The deepest indentation; deeper spans say their depth instead. */
const MAX_INDENT = 16;

function SpanRow({ tree, each, isSelected, isOpen, isFaint, toggle, select }: SpanRowProps) {
  const { span, depth, children } = each;
  const isParent = children.length > 0;
  const indent = Math.min(depth, MAX_INDENT) * 14;
  return (
    <div
      id={`span-${span.spanId}`}
      class={`span-row${isFaint ? " is-faint" : ""}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isSelected}
      aria-expanded={isParent ? isOpen : undefined}
      onClick={() => select(span.spanId)}
    >
      <span class="span-name" style={{ paddingLeft: `${indent}px` }}>
        <i
          class={isParent ? "twisty" : "twisty is-leaf"}
          onClick={(event) => {
            event.stopPropagation();
            if (isParent) toggle(span.spanId);
          }}
        >
          {isParent ? (isOpen ? "▾" : "▸") : ""}
        </i>
        <i class={`dot c${colourOf(each.service)}`} />
        {depth > MAX_INDENT && <span class="faint mono">{depth}</span>}
        {each.isError && <b class="error-mark">!</b>}
        <span class="name">{span.name || "(no name)"}</span>
        {!isOpen && (
          <span class="faint">
            {amountText(children.length, "child").replace("childs", "children")}
          </span>
        )}
        <span class="faint of-service">{serviceText(each)}</span>
      </span>
      <Bar tree={tree} each={each} />
    </div>
  );
}

const INTERNAL = 1;

/** Returns the service of a span, its kind, and what it calls if that sends no spans. */
function serviceText(each: TreeSpan): string {
  const { kind = 0 } = each.span;
  const peer = peerText(each);
  const parts = [each.service, kind > INTERNAL ? KINDS[kind] : undefined];
  const text = parts.filter((part) => part !== undefined).join(" · ");
  return peer === "" ? text : `${text} → ${peer}`;
}

function Bar({ tree, each }: { tree: TraceTree; each: TreeSpan }) {
  const { start, end, span } = each;
  const percent = (time: bigint): number => (Number(time - tree.start) / tree.durationNano) * 100;
  if (start === undefined) return <span class="track faint">unknown start</span>;
  const left = Math.max(0, percent(start));
  const width = end === undefined ? 0 : Math.max(0, percent(end) - left);
  const isLate = left > 60;
  return (
    <span class="track">
      <i
        class={`span-bar c${colourOf(each.service)}${each.isError ? " is-error" : ""}`}
        style={{ left: `${left}%`, width: `max(2px, ${width}%)` }}
      />
      {(span.events ?? []).slice(0, 20).map((event, at) => (
        <i
          key={at}
          class={event.name === "exception" ? "event is-error" : "event"}
          style={{
            left: `${Math.min(100, Math.max(0, percent(BigInt(event.timeUnixNano ?? 0))))}%`,
          }}
        />
      ))}
      <span
        class="mono bar-label"
        style={isLate ? { right: `${100 - left}%` } : { left: `${left + width}%` }}
      >
        {durationText(durationOf(each))}
      </span>
    </span>
  );
}
