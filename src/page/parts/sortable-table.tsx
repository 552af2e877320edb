import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { goTo, place } from "../client/location.ts";
import { countText } from "../model/format.ts";
import {
  nextSort,
  type Sort,
  sorted,
  type SortKey,
  sortOf,
  sortText,
  withParameter,
} from "../model/sorting.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly name: string;
  readonly label: string;
  /** What to sort by; numbers are aligned to the right. */
  readonly keyOf: (row: Row) => SortKey;
  readonly isNumeric: boolean;
  readonly render: (row: Row) => ComponentChildren;
}

interface SortableTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  /** The order while the URL names none. */
  readonly usual: Sort;
  /** A row that is not sorted, below all others. */
  readonly foot?: ComponentChildren;
}

/** More rows than these take a moment to update, so they are shown on demand. */
const FIRST_ROWS = 100;

/** A table whose heads sort it. The URL has the order, so Back and reload keep it. */
export function SortableTable<Row>(props: SortableTableProps<Row>) {
  const { columns, rows, idOf, usual, foot } = props;
  const [isWhole, setWhole] = useState(false);
  const names = columns.map(({ name }) => name);
  const sort = sortOf(place.value.query, names, usual);
  const column = columns.find(({ name }) => name === sort.column)!;
  const ordered = sorted(rows, column.keyOf, sort.isDescending);
  const shown = isWhole ? ordered : ordered.slice(0, FIRST_ROWS);
  return (
    <div class="table-box" role="group" aria-label={props.caption} tabIndex={0}>
      <table>
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {columns.map((each) => (
              <Head key={each.name} column={each} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Cells key={idOf(row)} columns={columns} row={row} />
          ))}
        </tbody>
        {foot !== undefined && <tfoot>{foot}</tfoot>}
      </table>
      {shown.length < ordered.length && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          Show all {countText(ordered.length)}
        </button>
      )}
    </div>
  );
}

function Head<Row>({ column, sort }: { column: Column<Row>; sort: Sort }) {
  const { name, label, isNumeric } = column;
  const isSorted = sort.column === name;
  const direction = sort.isDescending ? "descending" : "ascending";
  const choose = (): void => {
    const text = sortText(nextSort(sort, name, isNumeric));
    goTo(place.value.path + withParameter(place.value.query, "sort", text), true);
  };
  return (
    <th scope="col" class={isNumeric ? "number" : ""} aria-sort={isSorted ? direction : undefined}>
      <button type="button" onClick={choose}>
        {label}
        <span aria-hidden="true">{!isSorted ? "" : sort.isDescending ? " ↓" : " ↑"}</span>
      </button>
    </th>
  );
}

function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  const [first, ...rest] = columns;
  return (
    <tr>
      <th scope="row">{first!.render(row)}</th>
      {rest.map((each) => (
        <td key={each.name} class={each.isNumeric ? "number mono" : ""}>
          {each.render(row)}
        </td>
      ))}
    </tr>
  );
}
