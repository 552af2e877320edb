import { quotePeerText } from "../../../domain/text/quote-text.ts";

const CUT_MARK = "…";

/** Columns of a terminal that the text takes; wide characters take two. */
export function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

/** Text that has been made safe, cut with `…` where it is too wide. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns <= 0 ? "" : firstColumns(text, columns - 1) + CUT_MARK;
}

/** `sliceAnsi` takes a wide character whole when only its first half fits (Bun 1.4.5). */
function firstColumns(text: string, columns: number): string {
  const head = Bun.sliceAnsi(text, 0, columns);
  return widthOf(head) <= columns ? head : Bun.sliceAnsi(text, 0, columns - 1);
}

/** Exactly so wide: cut, or filled up behind. */
export function fit(text: string, columns: number): string {
  const shown = cut(text, columns);
  return shown + " ".repeat(Math.max(0, columns - widthOf(shown)));
}

/** The same for numbers, which are filled up in front. */
export function fitRight(text: string, columns: number): string {
  const shown = cut(text, columns);
  return " ".repeat(Math.max(0, columns - widthOf(shown))) + shown;
}

/**
 * Text of a peer, fit for a terminal and cut to a width. Whatever could move the cursor or change
 * the reading direction is escaped before anything is measured.
 */
export function peerText(text: string, columns: number): string {
  return cut(quotePeerText(text), columns);
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);
}

/** From the left edge, in eighths of a column. */
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const WHOLE = "█";
const EIGHTHS = 8;

/** Either time may not be known. */
export interface TimeRange {
  readonly startNano: bigint | undefined;
  readonly endNano: bigint | undefined;
}

/** A range whose times are known. */
interface Scale {
  readonly startNano: bigint;
  readonly endNano: bigint;
}

/**
 * A span within its trace, drawn to scale in so many columns: it begins at a whole column, and is
 * as long as its duration to an eighth of a column. However short, something is seen of it. Of a
 * span without an end only its beginning is drawn, of one without a start nothing.
 *
 *     |   ███▌      |      from 3/13 to 6.5/13 of the range
 */
export function timeBar(span: TimeRange, range: TimeRange, columns: number): string {
  const scale = scaleOf(range);
  if (scale === undefined || span.startNano === undefined) return "";
  const [from, to] = [share(span.startNano, scale), share(span.endNano ?? span.startNano, scale)];
  const start = Math.min(Math.round(from * columns), columns - 1);
  const wanted = Math.round((to - from) * columns * EIGHTHS);
  const length = Math.min(Math.max(wanted, 1), (columns - start) * EIGHTHS);
  return " ".repeat(start) + WHOLE.repeat(Math.floor(length / EIGHTHS)) + PARTS[length % EIGHTHS]!;
}

function scaleOf({ startNano, endNano }: TimeRange): Scale | undefined {
  return startNano === undefined || endNano === undefined ? undefined : { startNano, endNano };
}

/** Where in the range a time is, from 0 to 1. */
function share(timeNano: bigint, { startNano, endNano }: Scale): number {
  const length = Number(endNano - startNano);
  return length <= 0 ? 0 : Math.min(1, Math.max(0, Number(timeNano - startNano) / length));
}

/** Returns the earliest start and the latest end of those that are known. */
export function wholeRange(spans: readonly TimeRange[]): TimeRange {
  let [earliest, latest]: (bigint | undefined)[] = [];
  for (const { startNano, endNano } of spans) {
    if (startNano !== undefined && startNano < (earliest ??= startNano)) earliest = startNano;
    if (endNano !== undefined && endNano > (latest ??= endNano)) latest = endNano;
  }
  return { startNano: earliest, endNano: latest };
}
