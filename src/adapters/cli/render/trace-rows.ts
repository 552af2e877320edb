import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { Received } from "../../api-messages/message.ts";
import type { traces } from "../../api-messages/summaries.ts";
import type { Palette } from "../output/palette.ts";
import { clockText, countText, durationText } from "../output/quantities.ts";
import { fit, fitRight, peerText, widest, widthOf } from "../output/text-columns.ts";

/** One trace of `GET /api/traces`, with texts of a peer that are not escaped. */
export type TraceSummary = Received<typeof traces>["traces"][number];

const GAP = "  ";
const TRACE_ID_COLUMNS = 32;
const TIME_COLUMNS = 12;
const MIN_ROOT_COLUMNS = 12;
const NO_ROOT = "(no root)";

/**
 * Returns a line for each trace. Trace ids are whole, because users copy them. Times and services
 * are omitted on a narrow terminal.
 */
export function traceRows(
  traces: readonly TraceSummary[],
  columns: number,
  palette: Palette,
): string[] {
  const spans = traces.map((trace) => countText(trace.spans));
  const errors = traces.map((trace) => (trace.errors === 0 ? "" : countText(trace.errors)));
  const durations = traces.map((trace) => durationText(nanosOf(trace.durationNano)));
  const width = {
    spans: Math.max(widest(spans), "SPANS".length),
    errors: Math.max(widest(errors), "ERRORS".length),
    duration: Math.max(widest(durations), "DURATION".length),
  };
  const isWide = columns >= 110;
  const rows = traces.map((trace, index) => [
    trace.traceId,
    ...(isWide
      ? [palette.faint(fit(clockText(nanosOf(trace.startTimeUnixNano)), TIME_COLUMNS))]
      : []),
    fitRight(spans[index]!, width.spans),
    palette.bad(fitRight(errors[index]!, width.errors)),
    fitRight(durations[index]!, width.duration),
  ]);
  const around = TRACE_ID_COLUMNS + width.spans + width.errors + width.duration + 4 * GAP.length;
  const rest = Math.max(
    columns - around - (isWide ? TIME_COLUMNS + GAP.length : 0),
    MIN_ROOT_COLUMNS,
  );
  const header = [
    fit("TRACE", TRACE_ID_COLUMNS),
    ...(isWide ? [fit("TIME", TIME_COLUMNS)] : []),
    fitRight("SPANS", width.spans),
    fitRight("ERRORS", width.errors),
    fitRight("DURATION", width.duration),
    "ROOT",
  ];
  return [
    palette.heading(header.join(GAP)),
    ...rows.map((cells, index) => [...cells, rootText(traces[index]!, rest)].join(GAP)),
  ];
}

/** Returns the name of the root, and the services if they fit. A service is never shortened. */
function rootText({ root, services }: TraceSummary, columns: number): string {
  let text = root === null ? NO_ROOT : peerText(root, columns);
  for (const service of services) {
    const longer = `${text} [${quotePeerText(service)}]`;
    if (widthOf(longer) > columns) break;
    text = longer;
  }
  return text;
}

function nanosOf(text: string | null): bigint | undefined {
  return text === null ? undefined : BigInt(text);
}
