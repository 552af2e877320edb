import type { ShownSpan } from "./shown-span.ts";

/** A line of a trace drawn as a tree. */
export type TreeLine = {
  /**
   * The rails from the root to this line, such as `│  ├─ `: three characters for each level; empty
   * beyond the maximum depth.
   */
  readonly rails: string;
  /** The rails of further lines of this entry. */
  readonly railsBelow: string;
  readonly depth: number;
} & (
  | { readonly span: ShownSpan; readonly isBeforeParent: boolean }
  /** Stands for the missing parent of the spans below. */
  | { readonly span?: undefined; readonly missing: string }
);

/** The maximum depth of drawn rails, because a chain of 100,000 spans would need gigabytes. */
export const MAX_RAIL_DEPTH = 40;

interface Entry {
  readonly line: TreeLine;
  readonly children: readonly ShownSpan[];
}

/**
 * Returns every span once, parents before children, siblings by start. Identifiers may be missing,
 * occur twice, or form a cycle. If the spans are filtered, a parent that is not among them may well
 * be buffered.
 */
export function treeLines(spans: readonly ShownSpan[], isFiltered = false): TreeLine[] {
  const sorted = spans.toSorted(byStart);
  const children = Map.groupBy(sorted, ({ parentSpanId }) => parentSpanId);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const drawn = new Set<ShownSpan>();
  const lines: TreeLine[] = [];
  const draw = (entry: Entry): void => {
    // Pushed one by one: a million spans are too many arguments for a call.
    for (const line of linesFrom(entry, children, drawn)) lines.push(line);
  };
  for (const span of children.get("") ?? []) draw(rootEntry(span, children));
  for (const [parent, orphans] of children) {
    if (parent === "" || ids.has(parent)) continue;
    const missing = isFiltered ? `parent ${parent} not shown` : `missing parent ${parent}`;
    draw(missingEntry(missing, orphans));
  }
  for (const span of sorted) {
    if (!drawn.has(span)) draw(missingEntry("cyclic parents", [span]));
  }
  return lines;
}

type Children = ReadonlyMap<string, readonly ShownSpan[]>;

const AT_ROOT = { rails: "", railsBelow: "", depth: 0 } as const;

function rootEntry(span: ShownSpan, children: Children): Entry {
  return {
    line: { ...AT_ROOT, span, isBeforeParent: false },
    children: childrenOf(span, children),
  };
}

/** Returns the children of a span. Without an id it has none: an empty parent marks roots. */
function childrenOf({ spanId }: ShownSpan, children: Children): readonly ShownSpan[] {
  return spanId === "" ? [] : (children.get(spanId) ?? []);
}

function missingEntry(missing: string, children: readonly ShownSpan[]): Entry {
  return { line: { ...AT_ROOT, missing }, children };
}

/** Walks with an explicit stack, because traces may be deeper than the call stack. */
function* linesFrom(root: Entry, children: Children, drawn: Set<ShownSpan>): Generator<TreeLine> {
  const waiting = [root];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    const { line } = entry;
    if (line.span !== undefined && drawn.has(line.span)) continue;
    if (line.span !== undefined) drawn.add(line.span);
    yield line;
    const below = entry.children.filter((child) => !drawn.has(child));
    const last = below.at(-1);
    const entries = below.map((span) => ({
      line: childLine(line, span, span === last),
      children: childrenOf(span, children),
    }));
    waiting.push(...entries.toReversed());
  }
}

function childLine(parent: TreeLine, span: ShownSpan, isLast: boolean): TreeLine {
  const depth = parent.depth + 1;
  const hasRails = depth <= MAX_RAIL_DEPTH;
  return {
    rails: hasRails ? parent.railsBelow + (isLast ? "└─ " : "├─ ") : "",
    railsBelow: hasRails ? parent.railsBelow + (isLast ? "   " : "│  ") : "",
    depth,
    span,
    isBeforeParent: parent.span !== undefined && begins(span, parent.span) < 0,
  };
}

/** Orders by start; spans without one come last. */
function byStart(one: ShownSpan, other: ShownSpan): number {
  if (one.startNano === undefined) return other.startNano === undefined ? 0 : 1;
  return other.startNano === undefined ? -1 : begins(one, other);
}

/** Returns a negative number if one begins before the other; 0 if a start is unknown. */
function begins({ startNano: one }: ShownSpan, { startNano: other }: ShownSpan): number {
  if (one === undefined || other === undefined || one === other) return 0;
  return one < other ? -1 : 1;
}
