import type { BufferStats } from "../../../domain/ledger.ts";
import type { ForwardAnswer } from "../api/forward-answer.ts";
import type { Palette } from "./palette.ts";
import { bytesText, countText, durationText, percentText } from "./quantities.ts";
import { fit, fitRight, peerText, widest } from "./text-columns.ts";

/** The answer of `GET /api/stats`. */
export interface StatsAnswer extends BufferStats {
  readonly sequence: BufferStats["sequence"] & { readonly run_id?: string };
  readonly uptime_seconds: number;
  readonly version: string;
  /** Not there when nothing is forwarded. */
  readonly forward?: ForwardAnswer;
}

type Cells = readonly [name: string, spans: string, bytes: string];

const GAP = "  ";
const NANOS_PER_SECOND = 1e9;

/** Worth a second look when they are not zero: nobody has read these spans. */
const LOSSES: ReadonlySet<string> = new Set(["rejected", "evicted", "undeliverable"]);

/** The books, in spans and in bytes, and how much of the capacity is in use. */
export function statsTable(stats: StatsAnswer, url: string, palette: Palette): string[] {
  const { capacity, sequence, uptime_seconds, version } = stats;
  const uptime = durationText(BigInt(Math.round(uptime_seconds * NANOS_PER_SECOND)));
  const books = bookRows(stats);
  const limits: Cells = ["capacity", countText(capacity.spans), bytesText(capacity.bytes)];
  const inUse = inUseRow(stats);
  const header: Cells = ["", "SPANS", "BYTES"];
  const line = linesOf([header, ...books, limits, inUse]);
  return [
    `${palette.heading(`spanring ${peerText(version, 40)}`)} at ${url}, up ${uptime}`,
    "",
    palette.heading(line(header)),
    ...books.map((cells) => (isLoss(cells) ? palette.odd(line(cells)) : line(cells))),
    "",
    line(limits),
    line(inUse),
    "",
    `next sequence ${countText(sequence.next)}, oldest buffered ${countText(sequence.first)}`,
    ...(sequence.run_id === undefined ? [] : [`run ${peerText(sequence.run_id, 64)}`]),
  ];
}

/**
 * Slots, which a span in the middle that has left still uses. Of those in flight some may have made
 * room, though they are buffered in the books: they take no more than there is.
 */
function inUseRow({ bytes, capacity, sequence }: StatsAnswer): Cells {
  const usedBytes = Math.min(bytes.buffered, capacity.bytes);
  const slots = percentText(sequence.next - sequence.first, capacity.spans);
  return ["in use", slots, percentText(usedBytes, capacity.bytes)];
}

/** Every book that the answer has, also one that this program is too old to know. */
function bookRows({ spans, bytes }: StatsAnswer): Cells[] {
  const bytesOf: Readonly<Record<string, number>> = { ...bytes };
  return Object.entries(spans).map(([book, count]) => [
    peerText(book, 20),
    countText(count),
    bytesText(bytesOf[book] ?? 0),
  ]);
}

function isLoss([book, spans]: Cells): boolean {
  return LOSSES.has(book) && spans !== "0";
}

function linesOf(rows: readonly Cells[]): (cells: Cells) => string {
  const widthAt = (at: 0 | 1 | 2) => widest(rows.map((cells) => cells[at]));
  const [name, spans, bytes] = [widthAt(0), widthAt(1), widthAt(2)];
  return (cells) =>
    [fit(cells[0], name), fitRight(cells[1], spans), fitRight(cells[2], bytes)].join(GAP);
}
