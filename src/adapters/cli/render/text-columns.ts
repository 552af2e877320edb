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
