import { type KeyValue, type OtlpSpan, valueText } from "./otlp.ts";
import type { TraceTree } from "./trace-tree.ts";

/**
 * Returns the identifiers of the spans with a text, in the order of the waterfall: in their name,
 * service, identifiers, status message, attributes, events or links. Either case matches.
 */
export function findSpans(tree: TraceTree, text: string): readonly string[] {
  const sought = text.toLowerCase();
  return tree.spans
    .filter(({ span, service }) => textsOf(span, service).some((each) => has(each, sought)))
    .map(({ span }) => span.spanId);
}

function has(text: string, sought: string): boolean {
  return text.toLowerCase().includes(sought);
}

function textsOf(span: OtlpSpan, service: string): string[] {
  const { events = [], links = [], attributes } = span;
  const own = [span.name ?? "", service, span.spanId, span.status?.message ?? ""];
  const parts = [...events, ...links].flatMap((part) => pairTexts(part.attributes));
  const names = events.map(({ name = "" }) => name);
  const ids = links.flatMap(({ traceId = "", spanId = "" }) => [traceId, spanId]);
  return [...own, ...pairTexts(attributes), ...names, ...ids, ...parts];
}

function pairTexts(attributes: readonly KeyValue[] = []): string[] {
  return attributes.map(({ key = "", value }) => `${key}=${valueText(value)}`);
}

/** Returns the match after the selected span, or before it, and around the ends. */
export function nextMatch(
  matches: readonly string[],
  selected: string | undefined,
  step: 1 | -1,
): string | undefined {
  const at = selected === undefined ? -1 : matches.indexOf(selected);
  if (at < 0) return step === 1 ? matches[0] : matches.at(-1);
  return matches[(at + step + matches.length) % matches.length];
}
