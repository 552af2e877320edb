import { escapePeerText, quotePeerText } from "../../../domain/text/quote-text.ts";
import type { Explanation } from "../../../application/querying/explain-expectation.ts";
import type { Palette } from "../output/palette.ts";
import { countText } from "../output/quantities.ts";
import type { ShownSpan } from "./shown-span.ts";
import { traceView } from "./trace-view.ts";

/** Near misses, and the first of them with the spans around it. */
export interface ShownExplanation extends Pick<Explanation, "nearest"> {
  readonly around: readonly ShownSpan[];
}

/**
 * Describes near misses, and draws the tree around the first.
 *
 *     nearest: GET /cart (shop), and 2 like it
 *       expected name='GET /orders'; found GET /cart
 *
 *     trace 4bf92f3577b34da6a3ce929d0e0e4736
 *       ...
 */
export function explanationLines(
  { nearest, around }: ShownExplanation,
  columns: number,
  palette: Palette,
): string[] {
  const [first] = nearest;
  if (first === undefined) return [];
  const misses = nearest.flatMap((each) => missLines(each, palette));
  if (around.length === 0) return misses;
  const content = { isFiltered: true, markedSpanId: first.spanId };
  return [...misses, "", ...traceView(around, columns, palette, content)];
}

function missLines(
  { name, service, count, differences }: Explanation["nearest"][number],
  { heading, bad }: Palette,
): string[] {
  const more = count > 1 ? `, and ${countText(count - 1)} like it` : "";
  const label = heading(differences.length === 0 ? "such as" : "nearest");
  return [
    `${label}: ${quotePeerText(name)} (${quotePeerText(service)})${more}`,
    ...differences.map(
      ({ condition, found }) =>
        `  expected ${escapePeerText(condition)}; found ${bad(quotePeerText(found))}`,
    ),
  ];
}
