import { type Palette, serviceColours } from "../output/palette.ts";
import { countedText, dateText, durationText } from "../output/quantities.ts";
import { durationOf, faultTexts, type ShownSpan } from "./shown-span.ts";
import { MAX_RAIL_DEPTH, type TreeLine, treeLines } from "./trace-tree.ts";
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
  readonly rails: RailScale;
  readonly areAttributesShown: boolean;
  readonly markedSpanId: string | undefined;
  readonly name: number;
  readonly service: number;
  readonly duration: number;
  /** 0 if there is no room for span ids. */
  readonly spanId: number;
  readonly bar: number;
}

const GAP = "  ";
const MARK = { error: "✗ ", odd: "! ", none: "  ", marked: "→ " } as const;
const MAX_SERVICE_COLUMNS = 20;
const MAX_BAR_COLUMNS = 100;
/** The width of a terminal at which span ids are added, which \`spanring span\` takes. */
const ROOM_FOR_IDS = 120;
const SPAN_ID_COLUMNS = 16;
const MIN_NAME_COLUMNS = 16;

/** The share of the remaining columns that names get; bars get the rest. */
const NAME_SHARE = 0.6;
const MIN_BAR_COLUMNS = 10;

/** How rails are drawn: the columns of each level, and the depth from which it is a number. */
interface RailScale {
  readonly step: number;
  readonly maxDepth: number;
}

/**
 * Draws spans as trees, each trace below a heading.
 *
 *     trace 4bf92f3577b34da6a3ce929d0e0e4736
 *     2 spans, 1 error, 2 services, 12.3 ms, began 2026-11-24 12:04:31.123
 *
 *       GET /orders        shop  12.3 ms  ████████████
 *     ✗ └─ SELECT orders   db    8.10 ms     ████████
 *          DatabaseError: deadlock
 */
export function traceView(
  spans: readonly ShownSpan[],
  columns: number,
  palette: Palette,
  content: TraceContent = {},
): string[] {
  const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()];
  const surface = { ...content, columns, palette };
  const views = traces.map((trace) => oneTrace(trace, surface).join("\n"));
  return views.join("\n\n").split("\n");
}

/** What a view of a trace contains, besides its spans. */
export interface TraceContent {
  readonly areAttributesShown?: boolean;
  /** Whether spans of the trace may be left out. */
  readonly isFiltered?: boolean;
  /** A span that is marked. */
  readonly markedSpanId?: string;
}

function oneTrace(spans: readonly ShownSpan[], surface: Surface): string[] {
  const lines = treeLines(spans, surface.isFiltered);
  const drawing = drawingOf(spans, lines, surface);
  return [
    ...headingLines(spans, drawing),
    "",
    ...lines.flatMap((line) => [entryText(line, drawing), ...detailTexts(line, drawing)]),
    ...notes(lines, surface.palette),
  ];
}

interface Surface extends TraceContent {
  readonly columns: number;
  readonly palette: Palette;
}

function drawingOf(
  spans: readonly ShownSpan[],
  lines: readonly TreeLine[],
  { columns, palette, areAttributesShown = false, markedSpanId }: Surface,
): Drawing {
  const services = spans.map(({ service }) => peerText(service, MAX_SERVICE_COLUMNS));
  const service = widest(services);
  const duration = widest(spans.map(spanDuration));
  const spanId = columns < ROOM_FOR_IDS ? 0 : SPAN_ID_COLUMNS;
  const ids = spanId === 0 ? 0 : GAP.length + spanId;
  const around = MARK.none.length + 3 * GAP.length + service + duration + ids;
  const rest = Math.max(columns - around, MIN_NAME_COLUMNS);
  const depth = lines.reduce((most, line) => Math.max(most, line.depth), 0);
  const rails = railScale(depth, rest - MIN_NAME_COLUMNS - MIN_BAR_COLUMNS - 1);
  const railColumns = rails.maxDepth * rails.step + 1;
  const wanted = widest(lines.map((line) => shownRails(line, rails) + nameText(line, rest)));
  const share = Math.max(Math.floor(rest * NAME_SHARE), railColumns + MIN_NAME_COLUMNS);
  const name = Math.min(wanted, share);
  const bar = Math.min(Math.max(rest - name, 1), MAX_BAR_COLUMNS);
  const scale = { range: wholeRange(spans), rails };
  const widths = { name, service, duration, spanId, bar };
  const content = { areAttributesShown, markedSpanId };
  return { palette, colourOf: serviceColours(palette), ...content, ...scale, ...widths };
}

/** Returns the widest rails that fit, so that a tree of many levels is still a tree. */
function railScale(depth: number, columns: number): RailScale {
  const drawn = Math.min(depth, MAX_RAIL_DEPTH);
  const step = [3, 2].find((each) => drawn * each <= columns) ?? 1;
  return { step, maxDepth: Math.min(drawn, Math.max(columns, MIN_RAIL_DEPTH)) };
}

const MIN_RAIL_DEPTH = 3;

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
  const rails = shownRails(line, drawing.rails);
  const name = nameText(line, drawing.name - widthOf(rails));
  if (line.span === undefined) return palette.odd(`${MARK.odd}${rails}${name}`);
  const { span } = line;
  const padded = fit(name, drawing.name - widthOf(rails));
  const colour = drawing.colourOf(span.service);
  const cells = [
    markText(line, drawing) + palette.faint(rails) + (span.isError ? palette.bad(padded) : padded),
    colour(fit(peerText(span.service, drawing.service), drawing.service)),
    fitRight(spanDuration(span), drawing.duration),
    ...(drawing.spanId === 0 ? [] : [palette.faint(idText(span.spanId, drawing.spanId))]),
    barText(span, drawing),
  ];
  return cells.join(GAP).trimEnd();
}

function idText(spanId: string, columns: number): string {
  return fit(peerText(spanId, columns), columns);
}

function barText(span: ShownSpan, { palette, colourOf, range, bar }: Drawing): string {
  const drawn = timeBar(span, range, bar);
  const paint = span.isError ? palette.bad : colourOf(span.service);
  return " ".repeat(drawn.length - drawn.trimStart().length) + paint(drawn.trimStart());
}

function markText(line: TreeLine, { palette, markedSpanId }: Drawing): string {
  if (markedSpanId !== undefined && line.span?.spanId === markedSpanId) return MARK.marked;
  if (line.span?.isError === true) return palette.bad(MARK.error);
  return line.span !== undefined && line.isBeforeParent ? palette.odd(MARK.odd) : MARK.none;
}

/** Returns the lines below the name of a span: what went wrong, and the attributes. */
function detailTexts(line: TreeLine, drawing: Drawing): string[] {
  const { palette, areAttributesShown } = drawing;
  const { span } = line;
  if (span === undefined) return [];
  const rails = railsBelow(line, drawing.rails);
  const room = drawing.name + GAP.length + drawing.service + GAP.length + drawing.duration;
  const columns = room + drawing.bar - widthOf(rails);
  const before = MARK.none + palette.faint(rails);
  const paint = span.isError ? palette.bad : palette.faint;
  const faults = faultTexts(span).map((text) => before + paint(peerText(text, columns)));
  if (!areAttributesShown) return faults;
  const id = drawing.spanId === 0 ? [`span ${span.spanId}`] : [];
  const details = [...id, ...span.attributes.map(({ key, value }) => `${key}=${value}`)];
  const shown = details.map((text) => before + palette.faint(peerText(text, columns)));
  return [...faults, ...shown];
}

/** Returns the rails to scale; beyond the maximum depth, the depth as a number in their place. */
function shownRails({ rails, depth }: TreeLine, { step, maxDepth }: RailScale): string {
  if (depth > maxDepth) return `${depth}└─ `.padStart(maxDepth * step);
  const own = rails.slice(-3);
  return scaled(rails.slice(0, -3), step) + (step === 1 ? own.replace("─", "") : own);
}

function railsBelow({ railsBelow: rails, depth }: TreeLine, { step, maxDepth }: RailScale): string {
  if (depth > maxDepth) return " ".repeat(maxDepth * step);
  return scaled(rails, step) + (depth > 0 && step < 3 ? " " : "");
}

/** Shortens each level of rails, which has three characters, to so many columns. */
function scaled(rails: string, step: number): string {
  return rails.replaceAll(/(..)(.)/gu, (level) => level.slice(0, step));
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
