import type { ExpectationMistake } from "../../../domain/expectation/expectation.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";

/** The characters around a mistake that are shown. */
const MAX_BEFORE = 60;
const MAX_AFTER = 20;
const INDENT = " ".repeat(4);

/**
 * Returns a text for each mistake in an expectation, which points at its column:
 *
 *     --expect, column 10: unknown condition "nmae"; known: ...
 *         kind=1 & nmae=x
 *                  ^
 */
export function mistakeTexts(
  text: string,
  mistakes: readonly ExpectationMistake[],
  origin: string,
): string[] {
  return mistakes.map(({ column, mistake }) => {
    const at = column - 1;
    const from = Math.max(0, at - MAX_BEFORE);
    const before = (from > 0 ? "…" : "") + plain(text.slice(from, at));
    const shown = before + plain(text.slice(at, at + MAX_AFTER));
    const pointer = `${" ".repeat(Bun.stringWidth(before))}^`;
    return [`${origin}, column ${column}: ${mistake}`, shown, pointer].join(`\n${INDENT}`);
  });
}

/** Shows spaces for line breaks, so that the pointer stays below its character. */
function plain(text: string): string {
  return quotePeerText(text.replaceAll(/\s/g, " "));
}
