import type { Palette } from "../output/palette.ts";
import {
  bytesText,
  countText,
  durationText,
  percentText,
  countedText,
  dateText,
} from "../output/quantities.ts";
import { fit, fitRight, peerText, widest } from "../output/text-columns.ts";
import { NANOS_PER_MS, NANOS_PER_MS_NUMBER } from "../../../domain/time.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { PROBLEM_REASONS } from "../../../domain/problem-reason.ts";
import { problemText } from "../../../domain/problem-text.ts";
import type { Received } from "../../api-messages/message.ts";
import type { forward, problems, stats } from "../../api-messages/messages.ts";

export type StatsAnswer = Received<typeof stats>;
export type ForwardAnswer = Received<typeof forward>;
export type ListedProblem = Received<typeof problems>["problems"][number];

type Cells = readonly [name: string, spans: string, bytes: string];

const GAP = "  ";
const NANOS_PER_SECOND = 1e9;

/** Counters that are highlighted unless zero, because these spans were never read. */
const LOSSES: ReadonlySet<string> = new Set(["rejected", "evicted", "undeliverable"]);

/** Returns the counters in spans and in bytes, and how much of the capacity is used. */
export function statsTable(stats: StatsAnswer, url: string, palette: Palette): string[] {
  const { capacity, sequence, uptime_seconds, version } = stats;
  const uptime = durationText(BigInt(Math.round(uptime_seconds * NANOS_PER_SECOND)));
  const counters = ledgerRows(stats);
  const limits: Cells = ["capacity", countText(capacity.spans), bytesText(capacity.bytes)];
  const inUse = inUseRow(stats);
  const header: Cells = ["", "SPANS", "BYTES"];
  const line = linesOf([header, ...counters, limits, inUse]);
  return [
    `${palette.heading(`spanring ${peerText(version, 40)}`)} at ${url}, up ${uptime}`,
    "",
    palette.heading(line(header)),
    ...counters.map((cells) => (isLoss(cells) ? palette.odd(line(cells)) : line(cells))),
    "",
    line(limits),
    line(inUse),
    "",
    `next sequence ${countText(sequence.next)}, oldest buffered ${countText(sequence.first)}`,
    `run ${peerText(sequence.run_id, 64)}`,
    ...diskLines(stats, palette),
  ];
}

/** Returns how full the log on disk is and, if it fails, why. */
function diskLines({ disk }: StatsAnswer, { bad }: Palette): string[] {
  if (disk === undefined) return [];
  const { durability, state, used_bytes, max_bytes, error } = disk;
  const only = [...onlyOnDiskText(disk.only_on_disk), ...onlyInMemoryText(disk)];
  const used = `${bytesText(used_bytes)} of ${bytesText(max_bytes)}`;
  const line = `on disk ${used}, acknowledged at level ${durability}`;
  if (error === undefined) return [line, ...only];
  const effect = durability === "stop" ? "a stop may lose spans" : effectOf(state);
  return [line, ...only, bad(`the disk fails, and ${effect}: ${quotePeerText(error)}`)];
}

function effectOf(state: string): string {
  return state === "memory_only" ? "new spans are in memory only" : "requests are refused";
}

/** At level `stop`, this is so for all new spans. */
function onlyInMemoryText({ durability, only_in_memory }: NonNullable<StatsAnswer["disk"]>) {
  const { spans, bytes } = only_in_memory;
  if (spans === 0 || durability === "stop") return [];
  const amount = `${countedText(spans, "span")} (${bytesText(bytes)})`;
  return [`only in memory ${amount}; a crash or a stop loses them`];
}

function onlyOnDiskText({ spans, bytes }: NonNullable<StatsAnswer["disk"]>["only_on_disk"]) {
  if (spans === 0) return [];
  const amount = `${countedText(spans, "span")} (${bytesText(bytes)})`;
  return [`only on disk ${amount}; queries cover the newer ones, in memory`];
}

/**
 * Returns the slots in use, including those of spans that were removed from the middle. Spans in
 * flight count as buffered even after their slots are freed, so bytes are limited to the capacity.
 */
function inUseRow({ bytes, capacity, sequence }: StatsAnswer): Cells {
  const usedBytes = Math.min(bytes.buffered, capacity.bytes);
  const slots = percentText(sequence.next - sequence.first, capacity.spans);
  return ["in use", slots, percentText(usedBytes, capacity.bytes)];
}

/** Returns a row for every counter of the response, even one that this version does not know. */
function ledgerRows({ spans, bytes }: StatsAnswer): Cells[] {
  const bytesOf: Readonly<Record<string, number>> = { ...bytes };
  return Object.entries(spans).map(([entry, count]) => [
    peerText(entry, 20),
    countText(count),
    bytesText(bytesOf[entry] ?? 0),
  ]);
}

function isLoss([entry, spans]: Cells): boolean {
  return LOSSES.has(entry) && spans !== "0";
}

function linesOf(rows: readonly Cells[]): (cells: Cells) => string {
  const widthAt = (at: 0 | 1 | 2) => widest(rows.map((cells) => cells[at]));
  const [name, spans, bytes] = [widthAt(0), widthAt(1), widthAt(2)];
  return (cells) =>
    [fit(cells[0], name), fitRight(cells[1], spans), fitRight(cells[2], bytes)].join(GAP);
}

type Row = readonly [name: string, text: string, paint?: Palette["bad"] | false];

const NAME_COLUMNS = "undeliverable  ".length;
const NONE = "none";

/** Returns the state of forwarding. Text that is too wide continues in the next line. */
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
    ["retried", countedText(retried_spans, "span")],
    ["undeliverable", undeliverable, undeliverable !== NONE && odd],
    ["last error", errorText(forward)],
    ...hintRows(forward, odd),
  ];
}

const FAILING = new Set(["backing_off", "blocked"]);

function hintRows({ last_error, state }: ForwardAnswer, odd: Palette["odd"]): Row[] {
  if (last_error?.hint === undefined || !FAILING.has(state)) return [];
  return [["hint", quotePeerText(last_error.hint), odd]];
}

function stateText({ state, retry_in_ms = 0 }: ForwardAnswer): string {
  if (state === "untried") return "nothing sent yet";
  if (!FAILING.has(state)) return quotePeerText(state);
  const shown = state === "blocked" ? "blocked: the upstream refuses" : "backing off";
  return `${shown}, ${retry_in_ms > 0 ? `next attempt in ${msText(retry_in_ms)}` : "retrying"}`;
}

function inFlightText({ batches, spans }: ForwardAnswer["in_flight"]): string {
  return `${countedText(spans, "span")} in ${countText(batches)} batch${batches === 1 ? "" : "es"}`;
}

/** Lists the counts that are not zero, even one whose name this version does not know. */
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

const SHOWN = 5;
const INDENT = "  ";

/** Returns the newest problems, each with a hint below. Text that is too wide is wrapped. */
export function problemTable(
  problems: readonly ListedProblem[],
  columns: number,
  { heading, odd, faint }: Palette,
): string[] {
  if (problems.length === 0) return [];
  const more = problems.length - SHOWN;
  const others = more > 0 ? `, and ${more} more at /api/problems` : "";
  const lines = problems.slice(0, SHOWN).flatMap((problem) => {
    const what = wrapped(whatText(problem), columns).map(odd);
    const hint = wrapped(quotePeerText(problem.hint), columns - INDENT.length);
    return what.concat(hint.map((line) => faint(INDENT + line)));
  });
  return [heading(`problems, newest first${others}`)].concat(lines);
}

function whatText({ protocol, reason, address = "", detail = "", ...problem }: ListedProblem) {
  const time = dateText(BigInt(Date.parse(problem.last)) * NANOS_PER_MS);
  const from = address === "" ? "" : ` from ${quotePeerText(address)}`;
  const why = detail === "" ? "" : `: ${quotePeerText(detail)}`;
  return `${time} ${quotePeerText(protocol)}${from}: ${fateText(reason, problem.count)}${why}`;
}

/** Describes a reason. A newer server may send one that this version does not know. */
function fateText(reason: string, count: number): string {
  const known = PROBLEM_REASONS.find((each) => each === reason);
  return known === undefined ? `${count} x ${quotePeerText(reason)}` : problemText(known, count);
}

function wrapped(text: string, columns: number): string[] {
  return Bun.wrapAnsi(text, Math.max(1, columns), { hard: true }).split("\n");
}
