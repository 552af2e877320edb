/**
 * Prints the structure of `src/`: `bun scripts/structure.ts`, or with the root of another checkout
 * as its argument, to compare. To measure an earlier commit:
 *
 *     git worktree add --detach ../before COMMIT && bun scripts/structure.ts ../before
 *
 * A part is a folder with files; a file directly in `src/`, `src/adapters/` or `src/application/`
 * is a part too. Generated code is excluded.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cycles, grouped, importGraph, longestChain, partOf } from "./structure/import-graph.ts";
import type { Graph, SourceFile } from "./structure/import-graph.ts";

const SHORT_FILE_LINES = 30;

/** Returns the figures, one per line, followed by the details behind them. */
export function structureReport(files: readonly SourceFile[]): string {
  const imports = importGraph(files);
  const parts = grouped(imports, partOf);
  const lengths = files.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
  const longest = lengths.toSorted((a, b) => b.lines - a.lines)[0];
  const inApplication = entriesOf("src/application/", files);
  return [
    row("files", files.length),
    row(
      `files of at most ${SHORT_FILE_LINES} lines`,
      lengths.filter(({ lines }) => lines <= SHORT_FILE_LINES).length,
    ),
    row("lines of the longest file", `${longest?.lines ?? 0}  ${longest?.path ?? ""}`),
    row("entries of application/", inApplication.length),
    row("loose files among them", inApplication.filter((entry) => entry.endsWith(".ts")).length),
    row("imports between files", edgeCount(imports)),
    ...cycleRows("import cycles between files", imports),
    row("parts", parts.size),
    row("edges between parts", edgeCount(parts)),
    ...cycleRows("import cycles between parts", parts),
    row("longest chain of parts", longestChain(parts).length),
    ...longestChain(parts).map((step) => `    ${step}`),
  ].join("\n");
}

/** Returns the sources below `src/` of the checkout at `root`. */
export function sourceFiles(root: string): SourceFile[] {
  return [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })]
    .filter((path) => !path.includes("/generated/"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

function row(name: string, figure: number | string): string {
  return `${name.padEnd(30)} ${figure}`;
}

function cycleRows(name: string, graph: Graph): string[] {
  const found = cycles(graph);
  return [row(name, found.length), ...found.map((nodes) => `    ${nodes.join(" <-> ")}`)];
}

function edgeCount(graph: Graph): number {
  return [...graph.values()].reduce((sum, targets) => sum + targets.size, 0);
}

function entriesOf(folder: string, files: readonly SourceFile[]): string[] {
  const inside = files.filter(({ path }) => path.startsWith(folder));
  return [...new Set(inside.map(({ path }) => path.slice(folder.length).replace(/\/.*$/, "/")))];
}

if (import.meta.main) {
  const root = process.argv[2] ?? join(import.meta.dir, "..");
  process.stdout.write(`${structureReport(sourceFiles(root))}\n`);
}
