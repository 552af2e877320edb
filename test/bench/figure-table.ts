import type { CaseResult } from "./case-result.ts";
import type { FigureSummary } from "./figure.ts";

const HEADS = [
  "case",
  "figure",
  "unit",
  "median",
  "min",
  "max",
  "ratio",
  "reference",
  "goal",
  "verdict",
];

/** The columns that are aligned right, so that digits line up. */
const NUMBER_COLUMNS = new Set([3, 4, 5, 6]);

/** Returns all figures as aligned lines of text, followed by the reasons for missing ones. */
export function tableText(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ name, figures }) => figures.map((figure) => cells(name, figure)));
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length)),
  );
  const lines = [HEADS, ...rows].map((row) => alignedLine(row, widths));
  const failures = results
    .filter(({ failure }) => failure !== null)
    .map(({ name, failure }) => `${name} could not run: ${failure}`);
  return [...lines, ...failures].map((line) => `${line}\n`).join("");
}

function cells(caseName: string, figure: FigureSummary): string[] {
  return [
    caseName,
    figure.name,
    figure.unit,
    numberText(figure.median),
    numberText(figure.min),
    numberText(figure.max),
    figure.ratio === null ? "" : `${figure.ratio.toFixed(2)} x`,
    referenceText(figure),
    figure.goal ?? "",
    figure.verdict ?? "",
  ];
}

function referenceText({ reference }: FigureSummary): string {
  return reference === null ? "" : `${reference.name}, ${numberText(reference.median)}`;
}

function alignedLine(row: readonly string[], widths: readonly number[]): string {
  const aligned = row.map((cell, column) => {
    const width = widths[column]!;
    return NUMBER_COLUMNS.has(column) ? cell.padStart(width) : cell.padEnd(width);
  });
  return aligned.join("  ").trimEnd();
}

/** Returns a number with three significant digits. */
export function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000)
    return Math.round(value).toLocaleString("en");
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
