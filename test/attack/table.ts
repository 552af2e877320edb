import { fit, fitRight, widest } from "../../src/adapters/cli/output/text-columns.ts";
import { LANE_NAMES } from "./lanes.ts";
import { MIB } from "./measure.ts";
import { BOUND_ABOVE_IDLE_BYTES, brokenFacts, missedTimes } from "./requirements.ts";
import type { Row } from "./run-attack.ts";

const HEADS = [
  "attack",
  "MiB above idle",
  "bound",
  ...LANE_NAMES.map((name) => `${name}: p99 ms, lost`),
  "block ms",
  "stop ms",
  "facts expected",
  "facts broken",
  "times missed",
  "attacker received",
];

const WORDS_AT_THE_END = 4;

/** Returns the rows as lines of text, aligned. */
export function attackTable(rows: readonly Row[]): string {
  const lines = [HEADS, ...rows.map(cellsOf)];
  const widths = HEADS.map((_, column) => widest(lines.map((cells) => cells[column]!)));
  return lines.map((cells) => `${lineOf(cells, widths)}\n`).join("");
}

/** Returns the violations of a row, or "holds". */
export function verdictOf({ outcome }: Row): string {
  const failed = [...brokenFacts(outcome), ...missedTimes(outcome)];
  return failed.length === 0 ? "holds" : failed.join(", ");
}

function listOf(faults: readonly string[]): string {
  return faults.length === 0 ? "none" : faults.join(", ");
}

function cellsOf(row: Row): string[] {
  const { idleBytes, peakBytes, lanes, longestBlockMs, stopMs } = row.outcome;
  return [
    row.name,
    ((peakBytes - idleBytes) / MIB).toFixed(0),
    (BOUND_ABOVE_IDLE_BYTES / MIB).toFixed(0),
    ...lanes.map(({ p99Ms, lost, sent }) => `${p99Ms.toFixed(0)}, ${lost}/${sent}`),
    longestBlockMs.toFixed(0),
    stopMs?.toFixed(0) ?? "",
    row.expected,
    listOf(brokenFacts(row.outcome)),
    listOf(missedTimes(row.outcome)),
    receivedText(row.received),
  ];
}

function receivedText(received: Row["received"]): string {
  const kinds = Object.entries(received).map(([kind, count]) => `${kind}: ${count}`);
  return kinds.length === 0 ? "nothing" : kinds.join(", ");
}

/** Returns a line of the table, with words aligned left and figures aligned right. */
function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, column) => {
    const isFigure = column > 0 && column < cells.length - WORDS_AT_THE_END;
    return isFigure ? fitRight(cell, widths[column]!) : fit(cell, widths[column]!);
  });
  return aligned.join("  ").trimEnd();
}
