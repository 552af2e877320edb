import { NANOS_PER_MS, NANOS_PER_MS_NUMBER } from "../../../domain/time.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { ForwardAnswer } from "../api/forward-answer.ts";
import type { Palette } from "./palette.ts";
import { countedText, countText, dateText, durationText } from "./quantities.ts";
import { fit } from "./text-columns.ts";

type Row = readonly [name: string, text: string, paint?: Palette["bad"] | false];

const NAME_COLUMNS = "undeliverable  ".length;
const NONE = "none";

/** Where spans go on to, and how that is going. What is too wide goes on in the next line. */
export function forwardTable(forward: ForwardAnswer, columns: number, palette: Palette): string[] {
  const width = Math.max(1, columns - NAME_COLUMNS);
  return rowsOf(forward, palette).flatMap(([name, text, paint]) => {
    const lines = Bun.wrapAnsi(text, width, { hard: true }).split("\n");
    const whole = lines.map((line, at) => fit(at === 0 ? name : "", NAME_COLUMNS) + line);
    return paint ? whole.map(paint) : whole;
  });
}

function rowsOf(forward: ForwardAnswer, { heading, bad, odd }: Palette): Row[] {
  const { endpoint, state, spans_per_second, lag_seconds, in_flight, retried_spans } = forward;
  const undeliverable = countsText(forward.undeliverable);
  return [
    ["forwards to", quotePeerText(endpoint), heading],
    ["state", stateText(forward), FAILING.has(state) && bad],
    ["rate", `${countText(Math.round(spans_per_second))} spans/s`],
    ["lag", lag_seconds === 0 ? NONE : msText(lag_seconds * 1000)],
    ["in flight", inFlightText(in_flight)],
    ["batches", countsText(forward.batches)],
    ["given back", countedText(retried_spans, "span")],
    ["undeliverable", undeliverable, undeliverable !== NONE && odd],
    ["last error", errorText(forward)],
    ...hintRows(forward, odd),
  ];
}

const FAILING = new Set(["backing_off", "blocked"]);

function hintRows({ last_error, state }: ForwardAnswer, odd: Palette["odd"]): Row[] {
  if (last_error?.hint === undefined || !FAILING.has(state)) return [];
  return [["to do", quotePeerText(last_error.hint), odd]];
}

function stateText({ state, retry_in_ms = 0 }: ForwardAnswer): string {
  if (state === "untried") return "nothing sent yet";
  if (!FAILING.has(state)) return quotePeerText(state);
  const shown = state === "blocked" ? "blocked: the upstream refuses" : "backing off";
  return `${shown}, ${retry_in_ms > 0 ? `next try in ${msText(retry_in_ms)}` : "trying again"}`;
}

function inFlightText({ batches, spans }: ForwardAnswer["in_flight"]): string {
  return `${countedText(spans, "span")} in ${countText(batches)} batch${batches === 1 ? "" : "es"}`;
}

/** Those that are not zero, also of a name that this program is too old to know. */
function countsText(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return (
    some.map(([name, count]) => `${countText(count)} ${quotePeerText(name)}`).join(", ") || NONE
  );
}

function errorText({ last_error }: ForwardAnswer): string {
  if (last_error === undefined) return NONE;
  const time = dateText(BigInt(Date.parse(last_error.time)) * NANOS_PER_MS);
  return `${time}: ${quotePeerText(last_error.message)}`;
}

function msText(ms: number): string {
  return durationText(BigInt(Math.round(ms * NANOS_PER_MS_NUMBER)));
}
