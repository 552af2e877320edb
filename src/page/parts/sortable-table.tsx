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
  /** The parameter of the URL that has the order. */
  readonly parameter?: string;
  /** Where a click on a row leads; the keyboard uses the links in it. */
  readonly urlOf?: (row: Row) => string;
  /** A row that is not sorted, below all others. */
  readonly foot?: ComponentChildren;
}

/** More rows than these take a moment to update, so they are shown on demand. */
const FIRST_ROWS = 100;

/** A table whose heads sort it. The URL has the order, so Back and reload keep it. */
export function SortableTable<Row>(props: SortableTableProps<Row>) {
  const { columns, rows, idOf, usual, foot, parameter = "sort" } = props;
  const [isWhole, setWhole] = useState(false);
  const names = columns.map(({ name }) => name);
  const sort = sortOf(place.value.query, { parameter, columns: names, usual });
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
              <Head key={each.name} column={each} sort={sort} parameter={parameter} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Cells key={idOf(row)} columns={columns} row={row} url={props.urlOf?.(row)} />
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

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly sort: Sort;
  readonly parameter: string;
}

function Head<Row>({ column, sort, parameter }: HeadProps<Row>) {
  const { name, label, isNumeric } = column;
  const isSorted = sort.column === name;
  const direction = sort.isDescending ? "descending" : "ascending";
  const choose = (): void => {
    const text = sortText(nextSort(sort, name, isNumeric));
    goTo(place.value.path + withParameter(place.value.query, parameter, text), true);
  };
  return (
    <th
      scope="col"
      class={`col-${name}${isNumeric ? " number" : ""}`}
      aria-sort={isSorted ? direction : undefined}
    >
      <button type="button" onClick={choose}>
        {label}
        <span aria-hidden="true">{!isSorted ? "" : sort.isDescending ? " ↓" : " ↑"}</span>
      </button>
    </th>
  );
}

interface CellsProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly row: Row;
  readonly url: string | undefined;
}

function Cells<Row>({ columns, row, url }: CellsProps<Row>) {
  const [first, ...rest] = columns;
  const open = (event: MouseEvent): void => {
    if (url !== undefined && (event.target as Element).closest("a") === null) goTo(url);
  };
  return (
    <tr class={url === undefined ? "" : "is-link"} onClick={open}>
      <th scope="row">{first!.render(row)}</th>
      {rest.map((each) => (
        <td key={each.name} class={`col-${each.name}${each.isNumeric ? " number mono" : ""}`}>
          {each.render(row)}
        </td>
      ))}
    </tr>
  );
}
