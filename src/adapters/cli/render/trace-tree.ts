import type { ShownSpan } from "./shown-span.ts";

/** One line of a trace drawn as a tree. */
export type TreeLine = {
  /** The lines that lead here from the root, such as `│  ├─ `. */
  readonly rails: string;
  /** The same for a second line of this entry. */
  readonly railsBelow: string;
  readonly depth: number;
} & (
  | { readonly span: ShownSpan; readonly isBeforeParent: boolean }
  /** Stands for spans whose parent is not there. */
  | { readonly span?: undefined; readonly missing: string }
);

/** Deeper rails are not drawn: a chain of 100,000 spans would need gigabytes of them. */
const DEEPEST_RAILS = 40;

interface Entry {
  readonly line: TreeLine;
  readonly children: readonly ShownSpan[];
}

/**
 * Every span once, parents before children, siblings by their start. Nothing is asked of the spans:
 * identifiers may be missing, occur twice, or lead round in a circle.
 */
export function treeLines(spans: readonly ShownSpan[]): TreeLine[] {
  const sorted = spans.toSorted(byStart);
  const children = Map.groupBy(sorted, ({ parentSpanId }) => parentSpanId);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const drawn = new Set<ShownSpan>();
  const lines: TreeLine[] = [];
  const draw = (entry: Entry): void => {
    // One by one: a million of them are too many arguments for a call.
    for (const line of linesFrom(entry, children, drawn)) lines.push(line);
  };
  for (const span of children.get("") ?? []) draw(rootEntry(span, children));
  for (const [parent, orphans] of children) {
    if (parent !== "" && !ids.has(parent)) draw(missingEntry(`missing parent ${parent}`, orphans));
  }
  for (const span of sorted) {
    if (!drawn.has(span)) draw(missingEntry("parents in a circle", [span]));
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

/** Those whose parent is empty are roots, and not the children of spans without an id. */
function childrenOf({ spanId }: ShownSpan, children: Children): readonly ShownSpan[] {
  return spanId === "" ? [] : (children.get(spanId) ?? []);
}

function missingEntry(missing: string, children: readonly ShownSpan[]): Entry {
  return { line: { ...AT_ROOT, missing }, children };
}

/** With a stack of its own: traces may be deeper than calls can be. */
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
  const hasRails = depth <= DEEPEST_RAILS;
  return {
    rails: hasRails ? parent.railsBelow + (isLast ? "└─ " : "├─ ") : "",
    railsBelow: hasRails ? parent.railsBelow + (isLast ? "   " : "│  ") : "",
    depth,
    span,
    isBeforeParent: parent.span !== undefined && begins(span, parent.span) < 0,
  };
}

/** Those whose start is not known come last. */
function byStart(one: ShownSpan, other: ShownSpan): number {
  if (one.startNano === undefined) return other.startNano === undefined ? 0 : 1;
  return other.startNano === undefined ? -1 : begins(one, other);
}

/** Negative when one begins before the other, positive when after; 0 also when nobody knows. */
function begins({ startNano: one }: ShownSpan, { startNano: other }: ShownSpan): number {
  if (one === undefined || other === undefined || one === other) return 0;
  return one < other ? -1 : 1;
}
