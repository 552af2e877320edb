import { type Palette, serviceColours } from "./palette.ts";
import type { ShownSpan } from "./shown-span.ts";
import { headerRow, rowLayout, spanRow } from "./span-rows.ts";

/** A few spans as a table with its heading, for a message: no lines when there are none. */
export function spanTable(
  spans: readonly ShownSpan[],
  columns: number,
  palette: Palette,
): string[] {
  if (spans.length === 0) return [];
  const layout = rowLayout(columns, spans);
  const ink = { palette, colourOf: serviceColours(palette) };
  return [headerRow(layout, palette), ...spans.map((span) => spanRow(span, layout, ink))];
}
