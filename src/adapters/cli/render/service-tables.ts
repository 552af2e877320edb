import type { Received } from "../../api-messages/message.ts";
import type { services } from "../../api-messages/messages.ts";
import type { operations } from "../../api-messages/summaries.ts";
import { NANOS_PER_MS } from "../../../domain/time.ts";
import { type Palette, serviceColours } from "../output/palette.ts";
import { countText, dateText, durationText, rateText } from "../output/quantities.ts";
import { alignedTable, type Column } from "./aligned-table.ts";

/** The services of `GET /api/services`, and the operations of `GET /api/operations`. */
export type ListedServices = Received<typeof services>["services"];
export type ListedOperations = Received<typeof operations>["operations"];

/** The width of a terminal at which all columns are shown. */
const ROOM = 110;
const MIN_NAME_COLUMNS = 12;

/** Returns a line for each service, with its part of the ledger. */
export function servicesTable(listed: ListedServices, columns: number, palette: Palette): string[] {
  const count = (heading: string, entry: keyof ListedServices[number]["spans"]): Column => ({
    heading,
    cells: listed.map(({ spans }) => countText(spans[entry])),
    isNumber: true,
  });
  const table = [
    { heading: "SERVICE", cells: listed.map(({ service }) => service), flexible: MIN_NAME_COLUMNS },
    count("BUFFERED", "buffered"),
    count("RECEIVED", "received"),
    count("REJECTED", "rejected"),
    count("EVICTED", "evicted"),
    ...(columns < ROOM ? [] : [count("DELIVERED", "delivered"), count("TAKEN", "taken")]),
    { heading: "LAST SEEN", cells: listed.map(({ lastSeen }) => localTime(lastSeen)) },
  ];
  return alignedTable(table, columns, palette);
}

/** Returns a line for each operation, with its rate, its errors and percentiles of its duration. */
export function operationsTable(
  listed: ListedOperations,
  columns: number,
  palette: Palette,
): string[] {
  const colourOf = serviceColours(palette);
  const numbers = (heading: string, of: (each: ListedOperations[number]) => string): Column => ({
    heading,
    cells: listed.map(of),
    isNumber: true,
  });
  const errors = ({ errors: count }: ListedOperations[number]) =>
    count === 0 ? "" : countText(count);
  const table: Column[] = [
    {
      heading: "SERVICE",
      cells: listed.map(({ service }) => service),
      paint: (text) => colourOf(text.trimEnd())(text),
    },
    { heading: "OPERATION", cells: listed.map(({ name }) => name), flexible: MIN_NAME_COLUMNS },
    numbers("SPANS", ({ spans }) => countText(spans)),
    ...(columns < ROOM ? [] : [numbers("RATE", (each) => rateText(each.spansPerSecond))]),
    { ...numbers("ERRORS", errors), paint: palette.bad },
    numbers("P50", ({ p50Nano }) => nanosText(p50Nano)),
    numbers("P95", ({ p95Nano }) => nanosText(p95Nano)),
    numbers("P99", ({ p99Nano }) => nanosText(p99Nano)),
    ...(columns < ROOM
      ? []
      : [{ heading: "LAST SEEN", cells: listed.map(({ lastSeen }) => localTime(lastSeen)) }]),
  ];
  return alignedTable(table, columns, palette);
}

function nanosText(nanos: number | null): string {
  return nanos === null ? "unknown" : durationText(BigInt(Math.round(nanos)));
}

/** Returns a time as the other tables do, in the local time zone and without fractions. */
function localTime(time: string | null): string {
  if (time === null) return "unknown";
  return dateText(BigInt(Date.parse(time)) * NANOS_PER_MS).slice(0, -".000".length);
}
