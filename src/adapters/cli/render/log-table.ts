import type { InspectedLog, InspectedSegment } from "../../../application/log/inspect-log.ts";
import type { Palette } from "../output/palette.ts";
import { bytesText, countedText, countText } from "../output/quantities.ts";
import { alignedTable, type Column } from "./aligned-table.ts";

/** A place in a file that has no intact record. */
type Place = InspectedLog["damage"][number];

/** Returns the files of a log as a table, what is wrong with them, and a summary. */
export function logText(log: InspectedLog, columns: number, palette: Palette): string {
  const lines = [
    ...segmentTable(log.segments, columns, palette),
    ...log.damage.map((place) => palette.bad(`damaged: ${placeText(place)}, intact once`)),
    ...log.torn.map((place) => `torn: ${placeText(place)}, an interrupted write`),
    ...log.missingSegments.map((number) => palette.bad(`missing: segment ${countText(number)}`)),
    summaryOf(log),
  ];
  return `${lines.join("\n")}\n`;
}

function segmentTable(
  segments: readonly InspectedSegment[],
  columns: number,
  palette: Palette,
): string[] {
  const numbers = (heading: string, of: (each: InspectedSegment) => string): Column => ({
    heading,
    cells: segments.map(of),
    isNumber: true,
  });
  const table = [
    { heading: "FILE", cells: segments.map(({ name }) => name) },
    numbers("FORMAT", ({ formatVersion }) => String(formatVersion)),
    numbers("SIZE", ({ fileBytes }) => bytesText(fileBytes)),
    numbers("FIRST", ({ firstSequence }) => countText(firstSequence)),
    numbers("NEXT", ({ nextSequence }) => countText(nextSequence)),
    numbers("SPANS", ({ spans }) => countText(spans)),
  ];
  return alignedTable(table, columns, palette);
}

function placeText({ segment, offsetBytes, bytes }: Place): string {
  return `${segment}, ${countedText(bytes, "byte")} from offset ${countText(offsetBytes)}`;
}

function summaryOf({ segments, fileBytes, restored, lostSpans }: InspectedLog): string {
  const files = `${countedText(segments.length, "file")} of ${bytesText(fileBytes)}`;
  const spans = `${countedText(restored.spans, "span")} of ${bytesText(restored.bytes)}`;
  return `${files}; a start restores ${spans}, and ${countText(lostSpans)} are lost`;
}
