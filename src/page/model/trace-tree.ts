import { type OtlpSpan, type Resource, type Scope, serviceOf, type TracesData } from "./otlp.ts";

/** A span in its trace. */
export interface TreeSpan {
  readonly span: OtlpSpan;
  readonly service: string;
  readonly resource: Resource | undefined;
  readonly scope: Scope | undefined;
  readonly resourceSchemaUrl: string;
  readonly scopeSchemaUrl: string;
  /** Undefined if the span has none. */
  readonly start: bigint | undefined;
  readonly end: bigint | undefined;
  readonly isError: boolean;
  /** Whether it has a parent that is not buffered. */
  readonly isOrphan: boolean;
  /** Whether it starts before its parent does, which clocks of two machines can cause. */
  isSkewed: boolean;
  depth: number;
  readonly children: TreeSpan[];
}

/** All spans of a trace, as a tree, with the time that they cover. */
export interface TraceTree {
  readonly roots: readonly TreeSpan[];
  /** The spans, each before its children. */
  readonly spans: readonly TreeSpan[];
  readonly byId: ReadonlyMap<string, TreeSpan>;
  readonly start: bigint;
  /** The time from the first start to the last end; at least 1, so that it can divide. */
  readonly durationNano: number;
  readonly services: readonly string[];
  /** The levels; 1 if all spans are roots. */
  readonly depth: number;
  readonly orphans: number;
  readonly skewed: number;
  readonly errors: number;
}

/** Builds the tree of a trace. Children are in the order of their starts. */
export function traceTree(data: TracesData): TraceTree {
  const all = flatten(data);
  const byId = new Map(all.map((each) => [each.span.spanId, each]));
  const roots: TreeSpan[] = [];
  for (const each of all) {
    const parent = byId.get(each.span.parentSpanId ?? "");
    if (parent === undefined || parent === each) roots.push(mark(each));
    else parent.children.push(each);
  }
  const spans = ordered(roots);
  if (spans.length < all.length) spans.push(...ordered(breakCircles(all, spans, roots)));
  const times = all.flatMap(({ start, end }) => [start, end]).filter((time) => time !== undefined);
  const start = times.reduce((least, time) => (time < least ? time : least), times[0] ?? 0n);
  const end = times.reduce((most, time) => (time > most ? time : most), start);
  return {
    roots: roots.toSorted(byStart),
    spans,
    byId,
    start,
    durationNano: Math.max(1, Number(end - start)),
    services: [...new Set(spans.map(({ service }) => service))],
    depth: 1 + spans.reduce((most, { depth }) => Math.max(most, depth), 0),
    orphans: spans.filter(({ isOrphan }) => isOrphan).length,
    skewed: spans.filter(({ isSkewed }) => isSkewed).length,
    errors: spans.filter(({ isError }) => isError).length,
  };
}

function flatten({ resourceSpans = [] }: TracesData): TreeSpan[] {
  return resourceSpans.flatMap(({ resource, schemaUrl: resourceSchemaUrl = "", scopeSpans = [] }) =>
    scopeSpans.flatMap(({ scope, schemaUrl: scopeSchemaUrl = "", spans = [] }) =>
      spans.map((span) => ({
        span,
        service: serviceOf(resource),
        resource,
        scope,
        resourceSchemaUrl,
        scopeSchemaUrl,
        start: timeOf(span.startTimeUnixNano),
        end: timeOf(span.endTimeUnixNano),
        isError: span.status?.code === 2,
        isOrphan: false,
        isSkewed: false,
        depth: 0,
        children: [],
      })),
    ),
  );
}

function mark(root: TreeSpan): TreeSpan {
  const isOrphan = (root.span.parentSpanId ?? "") !== "";
  return Object.assign(root, { isOrphan });
}

/** Makes a root of one span in each circle of parents, which broken instrumentation can send. */
function breakCircles(
  all: readonly TreeSpan[],
  reached: readonly TreeSpan[],
  roots: TreeSpan[],
): TreeSpan[] {
  const seen = new Set(reached);
  const added: TreeSpan[] = [];
  for (const each of all) {
    if (seen.has(each)) continue;
    for (const other of all) {
      const index = other.children.indexOf(each);
      if (index >= 0) other.children.splice(index, 1);
    }
    added.push(each);
    for (const below of ordered([each])) seen.add(below);
  }
  roots.push(...added);
  return added;
}

/** Returns the spans in the order of the waterfall, without recursion: traces can be deep. */
function ordered(roots: readonly TreeSpan[]): TreeSpan[] {
  const spans: TreeSpan[] = [];
  const waiting = roots.toSorted(byStart).toReversed();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    spans.push(next);
    next.children.sort(byStart);
    for (const child of next.children.toReversed()) {
      child.depth = next.depth + 1;
      child.isSkewed = isBefore(child.start, next.start);
      waiting.push(child);
    }
  }
  return spans;
}

function isBefore(one: bigint | undefined, other: bigint | undefined): boolean {
  return one !== undefined && other !== undefined && one < other;
}

function byStart(one: TreeSpan, other: TreeSpan): number {
  if (one.start === other.start) return 0;
  if (one.start === undefined) return 1;
  return other.start === undefined || one.start < other.start ? -1 : 1;
}

function timeOf(text: string | undefined): bigint | undefined {
  return text === undefined || text === "0" ? undefined : BigInt(text);
}

/** Returns the duration; null if the start or the end is unknown. */
export function durationOf({ start, end }: TreeSpan): number | null {
  return start === undefined || end === undefined ? null : Number(end - start);
}

/** Returns the spans to show, without those below a collapsed one. */
export function shownSpans(tree: TraceTree, collapsed: ReadonlySet<string>): TreeSpan[] {
  const shown: TreeSpan[] = [];
  let hiddenBelow = Infinity;
  for (const each of tree.spans) {
    if (each.depth > hiddenBelow) continue;
    hiddenBelow = collapsed.has(each.span.spanId) ? each.depth : Infinity;
    shown.push(each);
  }
  return shown;
}

/**
 * Returns the identifiers of the spans on which the end of the trace depends: from the root, always
 * the child that ended last before the point reached so far.
 */
export function criticalPath(tree: TraceTree): ReadonlySet<string> {
  const path = new Set<string>();
  const waiting = tree.roots.filter(({ end }) => end !== undefined).slice(0, 1);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    path.add(next.span.spanId);
    let reached = next.end!;
    const children = next.children.filter(
      ({ start, end }) => start !== undefined && end !== undefined,
    );
    for (const child of children.toSorted((a, b) => (a.end! > b.end! ? -1 : 1))) {
      if (child.end! > reached) continue;
      waiting.push(child);
      reached = child.start!;
    }
  }
  return path;
}

/** The part of a trace that is of one service. */
export interface ServiceShare {
  readonly service: string;
  readonly spans: number;
  readonly errors: number;
}

/** Returns how much of a trace is of each service, in the order of `services`. */
export function serviceShares({ spans, services }: TraceTree): readonly ServiceShare[] {
  const own = Map.groupBy(spans, ({ service }) => service);
  return services.map((service) => ({
    service,
    spans: own.get(service)!.length,
    errors: own.get(service)!.filter(({ isError }) => isError).length,
  }));
}
