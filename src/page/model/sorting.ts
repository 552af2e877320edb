/** The column that orders a table, and the direction. */
export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

/** What a column sorts by. Rows with null come last in both directions. */
export type SortKey = string | number | null;

/** Returns the rows in order. Rows with equal keys stay in theirs. */
export function sorted<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => SortKey,
  isDescending: boolean,
): Row[] {
  const sign = isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .toSorted((one, other) => {
      if (one.key !== null && other.key !== null) return sign * compare(one.key, other.key);
      return Number(one.key === null) - Number(other.key === null);
    })
    .map(({ row }) => row);
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "string" || typeof other === "string")
    return String(one).localeCompare(String(other));
  return one - other;
}

/** Returns the order after a click on the head of a column: numbers begin with the greatest. */
export function nextSort(current: Sort, column: string, isNumeric: boolean): Sort {
  if (current.column !== column) return { column, isDescending: isNumeric };
  return { column, isDescending: !current.isDescending };
}

interface SortChoice {
  readonly parameter: string;
  readonly columns: readonly string[];
  readonly usual: Sort;
}

/** Returns the order in the query of a URL: `sort=p95`, or `sort=-p95` if it descends. */
export function sortOf(query: string, { parameter, columns, usual }: SortChoice): Sort {
  const text = new URLSearchParams(query).get(parameter) ?? "";
  const column = text.replace(/^-/, "");
  return columns.includes(column) ? { column, isDescending: text.startsWith("-") } : usual;
}

/** Returns the query of a URL with another value of one parameter, or without it. */
export function withParameter(query: string, name: string, value: string | undefined): string {
  const parameters = new URLSearchParams(query);
  if (value === undefined) parameters.delete(name);
  else parameters.set(name, value);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

export function sortText({ column, isDescending }: Sort): string {
  return isDescending ? `-${column}` : column;
}
