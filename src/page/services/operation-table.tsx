import { useRef } from "preact/hooks";
import { goTo, place } from "../client/location.ts";
import { amountText, countText, momentText, rateText } from "../model/format.ts";
import {
  type Operation,
  type Operations,
  operationsWith,
  tracesUrl,
} from "../model/service-graph.ts";
import { withParameter } from "../model/sorting.ts";
import { useKeys } from "../parts/keys.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { type Column, SortableTable } from "../parts/sortable-table.tsx";
import { durationColumns, errorsOf } from "./columns.tsx";

/** The operations with their figures. Each row leads to its traces. */
export function OperationTable({ operations: { operations, otherSpans } }: Props) {
  const section = useRef<HTMLElement>(null);
  const text = new URLSearchParams(place.value.query).get("find") ?? "";
  const shown = operationsWith(operations, text);
  const move = (step: number): void => {
    const links = [...section.current!.querySelectorAll<HTMLElement>("tbody th a")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  return (
    <section ref={section} aria-labelledby="operations-title">
      <div class="section-heading">
        <h2 id="operations-title">Operations</h2>
        <Find text={text} />
      </div>
      {shown.length === 0 ? (
        <p class="none">No operation has this text.</p>
      ) : (
        <SortableTable
          caption="Operations"
          columns={COLUMNS}
          rows={shown}
          idOf={({ service, name }) => `${service}\n${name}`}
          usual={{ column: "spans", isDescending: true }}
          urlOf={({ service, name }) => tracesUrl(service, name)}
        />
      )}
      {otherSpans > 0 && (
        <p class="faint small">
          {amountText(otherSpans, "span")} of further operations are not listed.
        </p>
      )}
    </section>
  );
}

interface Props {
  readonly operations: Operations;
}

function find(value: string): void {
  const { path, query } = place.value;
  goTo(path + withParameter(query, "find", value === "" ? undefined : value), true);
}

function Find({ text }: { text: string }) {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current!.focus() });
  return (
    <input
      ref={field}
      type="search"
      class="find"
      aria-label="Find an operation"
      placeholder="Find an operation"
      value={text}
      onInput={(event) => find(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

const COLUMNS: readonly Column<Operation>[] = [
  {
    name: "operation",
    label: "Operation",
    isNumeric: false,
    keyOf: ({ name }) => name,
    render: ({ service, name }) => (
      <>
        <a class="operation" href={tracesUrl(service, name)} title={name}>
          {name === "" ? <span class="faint">(no name)</span> : name}
        </a>
        <span class="in-operation">
          <ServiceName service={service} />
        </span>
      </>
    ),
  },
  {
    name: "service",
    label: "Service",
    isNumeric: false,
    keyOf: ({ service }) => service,
    render: ({ service }) => <ServiceName service={service} />,
  },
  {
    name: "spans",
    label: "Count",
    isNumeric: true,
    keyOf: ({ spans }) => spans,
    render: ({ spans }) => countText(spans),
  },
  {
    name: "rate",
    label: "Rate",
    isNumeric: true,
    keyOf: ({ spansPerSecond }) => spansPerSecond,
    render: ({ spansPerSecond }) => rateText(spansPerSecond),
  },
  {
    name: "errors",
    label: "Errors",
    isNumeric: true,
    keyOf: ({ errors }) => errors,
    render: ({ errors, service, name }) => errorsOf(errors, tracesUrl(service, name, "error")),
  },
  ...durationColumns<Operation>(),
  {
    name: "seen",
    label: "Last seen",
    isNumeric: true,
    keyOf: ({ lastSeen }) => (lastSeen === null ? null : Date.parse(lastSeen)),
    render: ({ lastSeen }) => momentText(lastSeen),
  },
];
