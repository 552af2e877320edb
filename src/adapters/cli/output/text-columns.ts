import { quotePeerText } from "../../../domain/text/quote-text.ts";

const CUT_MARK = "…";

/** Returns the columns that text takes on a terminal; wide characters take two. */
export function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

/** Shortens safe text with `…` if it is too wide. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns <= 0 ? "" : firstColumns(text, columns - 1) + CUT_MARK;
}

/**
 * Works around `sliceAnsi`, which keeps a wide character of which only half fits (Bun 1.4.5,
 * `test/quirks/bun-servers.test.ts`).
 */
function firstColumns(text: string, columns: number): string {
  const head = Bun.sliceAnsi(text, 0, columns);
  return widthOf(head) <= columns ? head : Bun.sliceAnsi(text, 0, columns - 1);
}

/** Returns text of exactly this width: shortened, or padded on the right. */
export function fit(text: string, columns: number): string {
  const shown = cut(text, columns);
  return shown + " ".repeat(Math.max(0, columns - widthOf(shown)));
}

/** Returns text of exactly this width, padded on the left, as numbers are. */
export function fitRight(text: string, columns: number): string {
  const shown = cut(text, columns);
  return " ".repeat(Math.max(0, columns - widthOf(shown))) + shown;
}

/**
 * Makes the text of a peer safe for a terminal and shortens it. Characters that could move the
 * cursor or change the text direction are escaped before the width is measured.
 */
export function peerText(text: string, columns: number): string {
  return cut(quotePeerText(text), columns);
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);
}

/** Blocks of 0 to 7 eighths of a column, from its left edge. */
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const WHOLE = "█";
const EIGHTHS = 8;

/** A range of time; either end may be unknown. */
export interface TimeRange {
  readonly startNano: bigint | undefined;
  readonly endNano: bigint | undefined;
}

/** A range with known ends. */
interface Scale {
  readonly startNano: bigint;
  readonly endNano: bigint;
}

/**
 * Draws a span to scale within its trace. The bar begins at a whole column, and its length is
 * precise to an eighth of a column. The shortest span is visible. A span without an end is drawn as
 * its beginning only, one without a start not at all.
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

/** Returns the position of a time in the range, from 0 to 1. */
function share(timeNano: bigint, { startNano, endNano }: Scale): number {
  const length = Number(endNano - startNano);
  return length <= 0 ? 0 : Math.min(1, Math.max(0, Number(timeNano - startNano) / length));
}

/** Returns the earliest known start and the latest known end. */
export function wholeRange(spans: readonly TimeRange[]): TimeRange {
  let [earliest, latest]: (bigint | undefined)[] = [];
  for (const { startNano, endNano } of spans) {
    if (startNano !== undefined && startNano < (earliest ??= startNano)) earliest = startNano;
    if (endNano !== undefined && endNano > (latest ??= endNano)) latest = endNano;
  }
  return { startNano: earliest, endNano: latest };
}
