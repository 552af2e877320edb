import type { Palette } from "../output/palette.ts";
import { fit, fitRight, peerText, widest } from "../output/text-columns.ts";

/** A column of a table: its heading, and a cell for each row. */
export interface Column {
  readonly heading: string;
  readonly cells: readonly string[];
  /** Whether the cells are numbers, which are aligned on the right. */
  readonly isNumber?: boolean;
  /** The minimum width of a column that takes the columns which the others leave. */
  readonly flexible?: number;
  readonly paint?: (text: string) => string;
}

const GAP = "  ";

/**
 * Returns the lines of a table, the heading first. The texts of a peer are escaped. At most one
 * column is flexible; it is shortened so that the table fits.
 */
export function alignedTable(
  table: readonly Column[],
  columns: number,
  palette: Palette,
): string[] {
  const safe = table.map((column) => ({
    ...column,
    cells: column.cells.map((cell) => peerText(cell, columns)),
  }));
  const natural = safe.map(({ heading, cells }) => widest([heading, ...cells]));
  const total = natural.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  const widths = safe.map(({ flexible }, index) => {
    const width = natural[index]!;
    if (flexible === undefined) return width;
    return Math.min(width, Math.max(flexible, width - (total - columns)));
  });
  const line = (cellOf: (column: Column, index: number) => string): string =>
    safe.map(cellOf).join(GAP).trimEnd();
  const padded = (text: string, { isNumber }: Column, width: number): string =>
    isNumber === true ? fitRight(text, width) : fit(text, width);
  const head = line((column, index) => padded(column.heading, column, widths[index]!));
  const rows = safe[0]!.cells.map((_, row) =>
    line((column, index) => {
      const text = padded(column.cells[row]!, column, widths[index]!);
      return column.paint === undefined ? text : column.paint(text);
    }),
  );
  return [palette.heading(head), ...rows];
}
