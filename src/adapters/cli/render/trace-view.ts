import { type Palette, serviceColours } from "../output/palette.ts";
import { countedText, dateText, durationText } from "../output/quantities.ts";
import { durationOf, type ShownSpan } from "./shown-span.ts";
import {
  fit,
  fitRight,
  peerText,
  widest,
  widthOf,
  timeBar,
  type TimeRange,
  wholeRange,
} from "../output/text-columns.ts";

/** The colours, widths and time range of one trace. */
interface Drawing {
  readonly palette: Palette;
  readonly colourOf: ReturnType<typeof serviceColours>;
  readonly range: TimeRange;
  readonly name: number;
  readonly service: number;
  readonly duration: number;
  readonly bar: number;
}

const GAP = "  ";
const MARK = { error: "✗ ", odd: "! ", none: "  " } as const;
const MAX_SERVICE_COLUMNS = 20;
const MAX_BAR_COLUMNS = 100;
const MIN_NAME_COLUMNS = 16;

/** The share of the remaining columns that names get; bars get the rest. */
const NAME_SHARE = 0.6;

/**
 * Draws spans as trees, each trace below a heading.
 *
 *     trace 4bf92f3577b34da6a3ce929d0e0e4736
 *     2 spans, 1 error, 2 services, 12.3 ms, began 2026-11-24 12:04:31.123
 *
 *       GET /orders        shop  12.3 ms  ████████████
 *     ✗ └─ SELECT orders   db    8.10 ms     ████████
 *          deadlock
 */
export function traceView(
  spans: readonly ShownSpan[],
  columns: number,
  palette: Palette,
): string[] {
  const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()];
  const views = traces.map((trace) => oneTrace(trace, columns, palette).join("\n"));
  return views.join("\n\n").split("\n");
}

function oneTrace(spans: readonly ShownSpan[], columns: number, palette: Palette): string[] {
  const lines = treeLines(spans);
  const drawing = drawingOf(spans, lines, { columns, palette });
  return [
    ...headingLines(spans, drawing),
    "",
    ...lines.flatMap((line) => [entryText(line, drawing), ...messageText(line, drawing)]),
    ...notes(lines, palette),
  ];
}

interface Surface {
  readonly columns: number;
  readonly palette: Palette;
}

function drawingOf(
  spans: readonly ShownSpan[],
  lines: readonly TreeLine[],
  { columns, palette }: Surface,
): Drawing {
  const services = spans.map(({ service }) => peerText(service, MAX_SERVICE_COLUMNS));
  const service = widest(services);
  const duration = widest(spans.map(spanDuration));
  const around = MARK.none.length + 3 * GAP.length + service + duration;
  const rest = Math.max(columns - around, MIN_NAME_COLUMNS);
  const wanted = widest(lines.map((line) => shownRails(line, rest) + nameText(line, rest)));
  const share = Math.max(Math.floor(rest * NAME_SHARE), MIN_NAME_COLUMNS);
  const name = Math.min(wanted, share);
  const bar = Math.min(Math.max(rest - name, 1), MAX_BAR_COLUMNS);
  const range = wholeRange(spans);
  return { palette, colourOf: serviceColours(palette), range, name, service, duration, bar };
}

function headingLines(spans: readonly ShownSpan[], { palette, range }: Drawing): string[] {
  const errors = spans.filter(({ isError }) => isError).length;
  const services = new Set(spans.map(({ service }) => service)).size;
  const facts = [
    countedText(spans.length, "span"),
    ...(errors === 0 ? [] : [palette.bad(countedText(errors, "error"))]),
    countedText(services, "service"),
    wholeDuration(range),
    range.startNano === undefined ? "start unknown" : `began ${dateText(range.startNano)}`,
  ];
  return [palette.heading(`trace ${peerText(spans[0]?.traceId ?? "", 32)}`), facts.join(", ")];
}

function entryText(line: TreeLine, drawing: Drawing): string {
  const { palette } = drawing;
  const rails = shownRails(line, drawing.name);
  const name = nameText(line, drawing.name - widthOf(rails));
  if (line.span === undefined) return palette.odd(`${MARK.odd}${rails}${name}`);
  const { span } = line;
  const padded = fit(name, drawing.name - widthOf(rails));
  const colour = drawing.colourOf(span.service);
  const cells = [
    markText(line, palette) + palette.faint(rails) + (span.isError ? palette.bad(padded) : padded),
    colour(fit(peerText(span.service, drawing.service), drawing.service)),
    fitRight(spanDuration(span), drawing.duration),
    barText(span, drawing),
  ];
  return cells.join(GAP).trimEnd();
}

function barText(span: ShownSpan, { palette, colourOf, range, bar }: Drawing): string {
  const drawn = timeBar(span, range, bar);
  const paint = span.isError ? palette.bad : colourOf(span.service);
  return " ".repeat(drawn.length - drawn.trimStart().length) + paint(drawn.trimStart());
}

function markText(line: TreeLine, palette: Palette): string {
  if (line.span?.isError === true) return palette.bad(MARK.error);
  return line.span !== undefined && line.isBeforeParent ? palette.odd(MARK.odd) : MARK.none;
}

/** Returns the status message of a failed span, below its name. */
function messageText(line: TreeLine, drawing: Drawing): string[] {
  const { palette } = drawing;
  if (line.span === undefined || line.span.statusMessage === "") return [];
  const rails = line.railsBelow.length > drawing.name / 2 ? "" : line.railsBelow;
  const room = drawing.name + GAP.length + drawing.service + GAP.length + drawing.duration;
  const message = peerText(line.span.statusMessage, room + drawing.bar - widthOf(rails));
  const paint = line.span.isError ? palette.bad : palette.faint;
  return [MARK.none + palette.faint(rails) + paint(message)];
}

/** Returns the rails, or the depth as a number if they leave no room for the name. */
function shownRails({ rails, depth }: TreeLine, nameColumns: number): string {
  const isDrawn = depth === 0 || (rails !== "" && widthOf(rails) <= nameColumns / 2);
  return isDrawn ? rails : `${depth}└─ `;
}

function nameText(line: TreeLine, columns: number): string {
  return peerText(line.span === undefined ? line.missing : line.span.name, columns);
}

function spanDuration(span: ShownSpan): string {
  return durationText(durationOf(span));
}

function wholeDuration(range: TimeRange): string {
  const duration = durationOf(range);
  return duration === undefined ? "duration unknown" : durationText(duration);
}

function notes(lines: readonly TreeLine[], { odd }: Palette): string[] {
  const before = lines.filter((line) => line.span !== undefined && line.isBeforeParent).length;
  if (before === 0) return [];
  const begin = before === 1 ? "span begins" : "spans begin";
  return ["", odd(`! ${before} ${begin} before the parent: clocks differ`)];
}

/** A line of a trace drawn as a tree. */
export type TreeLine = {
  /** The rails from the root to this line, such as `│  ├─ `. */
  readonly rails: string;
  /** The rails of a second line of this entry. */
  readonly railsBelow: string;
  readonly depth: number;
} & (
  | { readonly span: ShownSpan; readonly isBeforeParent: boolean }
  /** Stands for the missing parent of the spans below. */
  | { readonly span?: undefined; readonly missing: string }
);

/** The maximum depth of drawn rails, because a chain of 100,000 spans would need gigabytes. */
const MAX_RAIL_DEPTH = 40;

interface Entry {
  readonly line: TreeLine;
  readonly children: readonly ShownSpan[];
}

/**
 * Returns every span once, parents before children, siblings by start. Identifiers may be missing,
 * occur twice, or form a cycle.
 */
export function treeLines(spans: readonly ShownSpan[]): TreeLine[] {
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
    if (parent !== "" && !ids.has(parent)) draw(missingEntry(`missing parent ${parent}`, orphans));
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
