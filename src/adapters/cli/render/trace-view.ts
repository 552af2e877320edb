import { type Palette, serviceColours } from "./palette.ts";
import { countedText, dateText, durationText } from "./quantities.ts";
import { durationOf, type ShownSpan } from "./shown-span.ts";
import { fit, fitRight, peerText, widest, widthOf } from "./text-columns.ts";
import { timeBar, type TimeRange, wholeRange } from "./time-bar.ts";
import { type TreeLine, treeLines } from "./trace-tree.ts";

/** What every line of one trace is drawn with. */
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

/** Of the columns that are left, names get so much; the bars are drawn in the rest. */
const NAME_SHARE = 0.6;

/**
 * Spans as a tree, each trace under a heading of its own.
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

/** What a failed span says of its failure, under its name. */
function messageText(line: TreeLine, drawing: Drawing): string[] {
  const { palette } = drawing;
  if (line.span === undefined || line.span.statusMessage === "") return [];
  const rails = line.railsBelow.length > drawing.name / 2 ? "" : line.railsBelow;
  const room = drawing.name + GAP.length + drawing.service + GAP.length + drawing.duration;
  const message = peerText(line.span.statusMessage, room + drawing.bar - widthOf(rails));
  const paint = line.span.isError ? palette.bad : palette.faint;
  return [MARK.none + palette.faint(rails) + paint(message)];
}

/** Rails that would leave no room for the name shrink to a number. */
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
