/** From the left edge, in eighths of a column. */
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const WHOLE = "█";
const EIGHTHS = 8;

export interface TimeRange {
  readonly startNano: bigint;
  readonly endNano: bigint;
}

/**
 * A span within its trace, drawn to scale in so many columns: it begins at a whole column, and is
 * as long as its duration to an eighth of a column. However short, something is seen of it.
 *
 *     |   ███▌      |      from 3/13 to 6.5/13 of the range
 */
export function timeBar(span: TimeRange, range: TimeRange, columns: number): string {
  const [from, to] = [share(span.startNano, range), share(span.endNano, range)];
  const start = Math.min(Math.round(from * columns), columns - 1);
  const wanted = Math.round((to - from) * columns * EIGHTHS);
  const length = Math.min(Math.max(wanted, 1), (columns - start) * EIGHTHS);
  return " ".repeat(start) + WHOLE.repeat(Math.floor(length / EIGHTHS)) + PARTS[length % EIGHTHS]!;
}

/** Where in the range a time is, from 0 to 1. */
function share(timeNano: bigint, { startNano, endNano }: TimeRange): number {
  const length = Number(endNano - startNano);
  return length <= 0 ? 0 : Math.min(1, Math.max(0, Number(timeNano - startNano) / length));
}

/** The range that holds them all. */
export function wholeRange(spans: readonly TimeRange[]): TimeRange {
  const [first = { startNano: 0n, endNano: 0n }, ...rest] = spans;
  return rest.reduce<TimeRange>(
    (range, { startNano, endNano }) => ({
      startNano: startNano < range.startNano ? startNano : range.startNano,
      endNano: endNano > range.endNano ? endNano : range.endNano,
    }),
    { startNano: first.startNano, endNano: first.endNano },
  );
}
