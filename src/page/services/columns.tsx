import { countText, durationText } from "../model/format.ts";
import type { Percentiles } from "../model/service-graph.ts";
import type { Column } from "../parts/sortable-table.tsx";

const PERCENTILES = [
  { name: "p50", key: "p50Nano" },
  { name: "p95", key: "p95Nano" },
  { name: "p99", key: "p99Nano" },
] as const;

/** Returns a column for each percentile of the durations. */
export function durationColumns<Row extends Percentiles>(): Column<Row>[] {
  return PERCENTILES.map(({ name, key }) => ({
    name,
    label: name,
    isNumeric: true,
    keyOf: (row) => row[key],
    render: (row) => durationText(row[key]),
  }));
}

/** Shows errors as a link to them; none is faint. */
export function errorsOf(errors: number, url: string) {
  if (errors === 0) return <span class="faint">0</span>;
  return (
    <a class="error-count" href={url} aria-label={`${countText(errors)}, show the errors`}>
      {countText(errors)}
    </a>
  );
}
