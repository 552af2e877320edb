import { countText } from "../model/format.ts";
import { type Call, tracesUrl } from "../model/service-graph.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { type Column, SortableTable } from "../parts/sortable-table.tsx";
import { durationColumns, errorsOf } from "./columns.tsx";

/** The calls between services as a table, with all that the map shows. */
export function CallTable({ calls }: { calls: readonly Call[] }) {
  if (calls.length === 0) return <p class="none">No service calls another one.</p>;
  return (
    <SortableTable
      caption="Calls between services"
      columns={COLUMNS}
      rows={calls}
      idOf={({ from, to }) => `${from}\n${to}`}
      usual={{ column: "calls", isDescending: true }}
      parameter="calls_sort"
      urlOf={({ to }) => tracesUrl(to)}
    />
  );
}

const COLUMNS: readonly Column<Call>[] = [
  {
    name: "from",
    label: "From",
    isNumeric: false,
    keyOf: ({ from }) => from,
    render: ({ from }) => (
      <a href={tracesUrl(from)}>
        <ServiceName service={from} />
      </a>
    ),
  },
  {
    name: "to",
    label: "To",
    isNumeric: false,
    keyOf: ({ to }) => to,
    render: ({ to }) => (
      <a href={tracesUrl(to)}>
        <ServiceName service={to} />
      </a>
    ),
  },
  {
    name: "calls",
    label: "Calls",
    isNumeric: true,
    keyOf: ({ calls }) => calls,
    render: ({ calls }) => countText(calls),
  },
  {
    name: "errors",
    label: "Errors",
    isNumeric: true,
    keyOf: ({ errors }) => errors,
    render: ({ errors, to }) => errorsOf(errors, tracesUrl(to, undefined, "error")),
  },
  {
    name: "links",
    label: "Links",
    isNumeric: true,
    keyOf: ({ links }) => links,
    render: ({ links }) => countText(links),
  },
  ...durationColumns<Call>(),
];
