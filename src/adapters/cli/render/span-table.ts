import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { type Palette, serviceColours } from "../output/palette.ts";
import { type ShownSpan, durationOf, faultTexts, KIND_WORDS } from "./shown-span.ts";
import { type CommandRun, paletteOf } from "../command/command-run.ts";
import type { TextStream } from "../output/text-stream.ts";
import { clockText, durationText } from "../output/quantities.ts";
import { cut, fit, fitRight, peerText, widest } from "../output/text-columns.ts";

/** Returns a table of a few spans with a heading, for a message; no lines without spans. */
export function spanTable(
  spans: readonly ShownSpan[],
  columns: number,
  palette: Palette,
): string[] {
  if (spans.length === 0) return [];
  const layout = rowLayout(columns, spans);
  const ink = { palette, colourOf: serviceColours(palette) };
  return [headerRow(layout, palette), ...spans.flatMap((span) => spanRows(span, layout, ink))];
}

/** Prints spans as table rows. */
export interface RowPrinter {
  /** Returns false once the reader has closed the pipe. */
  add(span: ShownSpan): boolean;
  /** Prints the rows that were held back to measure the columns. */
  end(): void;
}

/** The number of spans that determine the column widths. */
const SAMPLE_SPANS = 1000;

/** Returns a printer that holds back the first spans to fit the column widths. */
export function rowPrinter(run: CommandRun, stream: TextStream): RowPrinter {
  const sample: ShownSpan[] = [];
  let print: ((span: ShownSpan) => boolean) | undefined;
  const begin = (): boolean => {
    print = livePrinter(run, stream, sample);
    return sample.splice(0).every(print);
  };
  return {
    add: (span) => {
      if (print !== undefined) return print(span);
      sample.push(span);
      return sample.length < SAMPLE_SPANS || begin();
    },
    end: () => void (print === undefined && sample.length > 0 && begin()),
  };
}

/** Prints the header, and returns a function that prints a row in columns that fit the sample. */
export function livePrinter(
  run: CommandRun,
  stream: Pick<TextStream, "isTerminal" | "columns"> & { write(text: string): boolean },
  sample: readonly ShownSpan[],
): (span: ShownSpan) => boolean {
  const palette = paletteOf(run, stream);
  const layout = rowLayout(stream.columns, sample);
  const ink = { palette, colourOf: serviceColours(palette) };
  stream.write(`${headerRow(layout, palette)}\n`);
  return (span) => stream.write(`${spanRows(span, layout, ink).join("\n")}\n`);
}

/**
 * Column widths of a table of spans; 0 for a column that does not fit.
 *
 *   TIME          SERVICE  KIND      NAME              DURATION  TRACE     ATTRIBUTES
 *   12:04:31.123  shop     server  ✗ GET /orders        12.3 ms  4bf92f35  url.path=/orders
 *                                    RuntimeError: no stock
 */
export interface RowLayout {
  /** The columns of the whole table. */
  readonly columns: number;
  readonly service: number;
  readonly kind: number;
  readonly name: number;
  readonly traceId: number;
  readonly attributes: number;
}

export interface RowInk {
  readonly palette: Palette;
  readonly colourOf: ReturnType<typeof serviceColours>;
}

const GAP = "  ";
const TIME_COLUMNS = 12;
const DURATION_COLUMNS = 10;
const KIND_COLUMNS = 8;
/** A whole trace id, or as many digits as commands need to find the trace. */
const TRACE_ID = { whole: 32, beginning: 8 } as const;
const MARK = { error: "✗ ", none: "  " } as const;

/** The terminal widths at which a column is added. */
const ROOM = { traceBeginning: 80, kind: 100, wholeTraceId: 120, attributes: 160 } as const;

const SERVICE = { min: 7, max: 20, usual: 14 } as const;
const NAME = { min: 12, max: 48, usual: 36 } as const;

/** Returns widths that fit the sample, or typical spans if it is empty. */
export function rowLayout(columns: number, sample: readonly ShownSpan[]): RowLayout {
  const texts = (of: (span: ShownSpan) => string) => sample.map((span) => peerText(of(span), 100));
  const isUnseen = sample.length === 0;
  const services = isUnseen ? SERVICE.usual : widest(texts(({ service }) => service));
  const service = Math.min(Math.max(services, SERVICE.min), SERVICE.max);
  const kind = columns >= ROOM.kind ? KIND_COLUMNS : 0;
  const traceId = traceIdColumns(columns);
  const around = [TIME_COLUMNS, service, kind, DURATION_COLUMNS, traceId]
    .filter((width) => width > 0)
    .reduce((sum, width) => sum + width + GAP.length, MARK.none.length);
  const rest = Math.max(columns - around, NAME.min);
  const names = isUnseen ? NAME.usual : widest(texts((span) => span.name));
  const wanted = Math.max(names, NAME.min);
  if (columns < ROOM.attributes) {
    return { columns, service, kind, name: Math.min(wanted, rest), traceId, attributes: 0 };
  }
  const name = Math.min(wanted, NAME.max);
  const attributes = Math.max(0, rest - name - GAP.length);
  return { columns, service, kind, name, traceId, attributes };
}

function traceIdColumns(columns: number): number {
  if (columns >= ROOM.wholeTraceId) return TRACE_ID.whole;
  return columns >= ROOM.traceBeginning ? TRACE_ID.beginning : 0;
}

export function headerRow(layout: RowLayout, { heading }: Palette): string {
  const cells = [
    fit("TIME", TIME_COLUMNS),
    fit("SERVICE", layout.service),
    ...(layout.kind > 0 ? [fit("KIND", layout.kind)] : []),
    MARK.none + fit("NAME", layout.name),
    fitRight("DURATION", DURATION_COLUMNS),
    ...(layout.traceId > 0 ? [fit("TRACE", layout.traceId)] : []),
    ...(layout.attributes > 0 ? ["ATTRIBUTES"] : []),
  ];
  return heading(cells.join(GAP).trimEnd());
}

/** Returns the row of a span and, below its name, what went wrong. */
export function spanRows(span: ShownSpan, layout: RowLayout, ink: RowInk): string[] {
  const { columns, service, kind } = layout;
  const before = [TIME_COLUMNS, service, kind].filter((width) => width > 0);
  const indent = before.reduce((sum, width) => sum + width + GAP.length, MARK.none.length);
  const paint = span.isError ? ink.palette.bad : ink.palette.faint;
  const faults = faultTexts(span).map((text) => paint(peerText(text, columns - indent)));
  return [spanRow(span, layout, ink), ...faults.map((text) => " ".repeat(indent) + text)];
}

function spanRow(span: ShownSpan, layout: RowLayout, ink: RowInk): string {
  const { palette } = ink;
  const service = fit(peerText(span.service, layout.service), layout.service);
  const name = fit(peerText(span.name, layout.name), layout.name);
  const duration = durationText(durationOf(span));
  const attributes = attributesText(span, layout.attributes);
  const cells = [
    palette.faint(fit(clockText(span.startNano), TIME_COLUMNS)),
    ink.colourOf(span.service)(service),
    ...(layout.kind > 0 ? [fit(KIND_WORDS[span.kind] ?? "", layout.kind)] : []),
    span.isError ? palette.bad(MARK.error + name) : MARK.none + name,
    fitRight(duration, DURATION_COLUMNS),
    ...(layout.traceId > 0 ? [palette.faint(traceIdText(span, layout.traceId))] : []),
    ...(attributes === "" ? [] : [palette.faint(attributes)]),
  ];
  return cells.join(GAP);
}

/** Shortens a trace id without `…`, so that it can be copied. */
function traceIdText({ traceId }: ShownSpan, columns: number): string {
  return fit(peerText(traceId, TRACE_ID.whole).slice(0, columns), columns);
}

/** Returns as many attributes as fit. */
function attributesText(span: ShownSpan, columns: number): string {
  if (columns === 0) return "";
  const pairs = span.attributes.map(({ key, value }) => quotePeerText(`${key}=${value}`));
  return cut(pairs.join(" "), columns);
}
