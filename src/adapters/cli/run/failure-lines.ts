import {
  pathText,
  selectorText,
  type Expectation,
} from "../../../domain/expectation/expectation.ts";
import { escapePeerText } from "../../../domain/text/quote-text.ts";
import type { CopiedSpans } from "../../../ports/trace-buffer.ts";
import { otlpJson } from "../../otlp/json/otlp-json.ts";
import type { Palette } from "../output/palette.ts";
import { countedText, countText } from "../output/quantities.ts";
import { explanationLines } from "../render/explanation.ts";
import { type ShownSpan, spansFromOtlpJson } from "../render/shown-span.ts";
import { spanTable } from "../render/span-table.ts";
import type { CheckedExpectation } from "./check-expectations.ts";

/** Returns what was seen instead of an expectation, followed by the spans that come closest. */
export function failureLines(
  { expectation, seen, wrong, explanation, isUncertain }: CheckedExpectation,
  columns: number,
  palette: Palette,
): string[] {
  const doubt = isUncertain === true ? "; spans that were lost may match too" : "";
  const there = `seen: ${seenText(expectation, { found: seen.count, wrong })}${doubt}`;
  if (explanation === undefined) return [there, ...spanTable(shown(seen.newest), columns, palette)];
  const { nearest, around } = explanation;
  const isTooMany = nearest.every(({ differences }) => differences.length === 0);
  const table = isTooMany ? spanTable(shown(seen.newest), columns, palette) : [];
  const shownExplanation = { nearest: isTooMany ? [] : nearest, around: shown(around) };
  return [there, ...table, ...explanationLines(shownExplanation, columns, palette)];
}

/** Returns the number of spans and, if some of them are wrong, of these. */
export function seenText(
  expectation: Expectation,
  { found, wrong }: { readonly found: number; readonly wrong: number },
): string {
  const seenSpans = countedText(found, "span");
  if (wrong === 0) return seenSpans;
  const lacking = escapePeerText(lackText(expectation));
  return `${seenSpans}, ${countText(wrong)} of them without ${lacking}`;
}

function lackText({ subject, requirement }: Expectation): string {
  return requirement === undefined ? `${pathText(subject)} before` : selectorText(requirement);
}

export function shown({ request, sequences }: CopiedSpans): ShownSpan[] {
  return sequences.length === 0 ? [] : spansFromOtlpJson(JSON.parse(otlpJson(request)));
}
