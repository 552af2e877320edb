import { colourOf, durationText } from "../model/format.ts";
import type { ComparedSpan } from "../model/trace-comparison.ts";
import { durationOf, type TreeSpan } from "../model/trace-tree.ts";

interface ComparedRowProps {
  readonly id: string;
  readonly each: ComparedSpan;
  readonly ids: { readonly firstId: string; readonly secondId: string };
  readonly isSelected: boolean;
  readonly select: () => void;
}

const MAX_INDENT = 16;

/** A span of the first trace beside its counterpart of the second one. */
export function ComparedRow({ id, each, ids, isSelected, select }: ComparedRowProps) {
  const { depth, first, second, change } = each;
  const { service, span } = (second ?? first)!;
  return (
    <div
      id={id}
      class={`compared-row is-${change}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isSelected}
      onClick={select}
    >
      <span class="span-name" style={{ paddingLeft: `${Math.min(depth, MAX_INDENT) * 14}px` }}>
        <i class={`dot c${colourOf(service)}`} />
        <span class="name">{span.name || "(no name)"}</span>
        <span class="faint of-service">{service}</span>
      </span>
      <Side traceId={ids.firstId} each={first} />
      <Side traceId={ids.secondId} each={second} />
      <span class="mono">{changeText(each)}</span>
    </div>
  );
}

function Side({ traceId, each }: { traceId: string; each: TreeSpan | undefined }) {
  if (each === undefined) return <span class="number faint">–</span>;
  return (
    <span class="number mono">
      {each.isError && <b class="error-mark">!</b>}{" "}
      <a href={`/traces/${traceId}?span=${each.span.spanId}`} tabIndex={-1}>
        {durationText(durationOf(each))}
      </a>
    </span>
  );
}

/** Returns `new`, `missing`, or the difference with its sign. */
function changeText({ change, differenceNano, first }: ComparedSpan): string {
  if (differenceNano === null) return change === "alike" ? "" : change;
  if (change === "alike") return "";
  const before = durationOf(first!)!;
  const sign = differenceNano > 0 ? "+" : "−";
  const difference = `${sign}${durationText(Math.abs(differenceNano))}`;
  if (before <= 0) return difference;
  return `${difference} (${sign}${Math.round((Math.abs(differenceNano) / before) * 100)} %)`;
}
