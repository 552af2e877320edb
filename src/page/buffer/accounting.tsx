import { useState } from "preact/hooks";
import { bytesText, countText, momentText } from "../model/format.ts";
import { LEDGER_COUNTS, type ServiceLedger, sumOf, type Unit } from "../model/stats.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { type Column, SortableTable } from "../parts/sortable-table.tsx";

/** The ledger of each service, with the sum of all in the last row. */
export function Accounting({ services }: { services: readonly ServiceLedger[] }) {
  const [unit, setUnit] = useState<Unit>("spans");
  return (
    <section class="accounting" aria-labelledby="accounting-title">
      <div class="section-heading">
        <h2 id="accounting-title">Accounting by service</h2>
        <div class="switch" role="group" aria-label="Unit">
          {(["spans", "bytes"] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === unit}
              onClick={() => setUnit(each)}
            >
              {each === "spans" ? "Spans" : "Bytes"}
            </button>
          ))}
        </div>
      </div>
      <SortableTable
        caption="Accounting by service"
        columns={columnsOf(unit)}
        rows={services}
        idOf={({ service }) => service}
        usual={{ column: "received", isDescending: true }}
        foot={<Sum services={services} unit={unit} />}
      />
      <p class="faint">
        received = rejected + accepted; accepted = buffered + taken + delivered + evicted +
        undeliverable
      </p>
    </section>
  );
}

function columnsOf(unit: Unit): readonly Column<ServiceLedger>[] {
  return [
    {
      name: "service",
      label: "Service",
      isNumeric: false,
      keyOf: ({ service }) => service,
      render: ({ service }) => (
        <a href={`/?${new URLSearchParams({ service })}`}>
          <ServiceName service={service} />
        </a>
      ),
    },
    ...LEDGER_COUNTS.map((count) => ({
      name: count,
      label: count[0]!.toUpperCase() + count.slice(1),
      isNumeric: true,
      keyOf: (row: ServiceLedger) => row[unit][count],
      render: (row: ServiceLedger) => amountOf(row[unit][count], unit),
    })),
    {
      name: "seen",
      label: "Last seen",
      isNumeric: true,
      keyOf: ({ lastSeen }) => Date.parse(lastSeen),
      render: ({ lastSeen }) => <time dateTime={lastSeen}>{momentText(lastSeen)}</time>,
    },
  ];
}

function Sum({ services, unit }: { services: readonly ServiceLedger[]; unit: Unit }) {
  return (
    <tr>
      <th scope="row">All services</th>
      {LEDGER_COUNTS.map((count) => (
        <td key={count} class="number mono">
          {amountOf(sumOf(services, unit, count), unit)}
        </td>
      ))}
      <td />
    </tr>
  );
}

/** Returns an amount; a zero is faint, so that the others stand out. */
function amountOf(amount: number, unit: Unit) {
  if (amount === 0) return <span class="faint">0</span>;
  return unit === "spans" ? countText(amount) : bytesText(amount);
}
