import { expect, test } from "bun:test";
import { join } from "node:path";
import { structureReport } from "../../scripts/structure.ts";
import {
  cycles,
  type Graph,
  grouped,
  importGraph,
  longestChain,
  partOf,
} from "../../scripts/structure/import-graph.ts";

/** Builds a graph from lines such as `a: b c`. */
function graph(...lines: readonly string[]): Graph {
  return new Map(
    lines.map((line) => {
      const [node = "", targets = ""] = line.split(":");
      return [node, new Set(targets.split(" ").filter((target) => target !== ""))];
    }),
  );
}

test("imports, exports, types and import() are edges; packages and unknown files are not", () => {
  const files = [
    {
      path: "src/a.ts",
      text:
        'import { b } from "./in/b.ts"; import type { C } from "./c.ts"; import "./gone.ts"; ' +
        'import "node:fs"; export { d } from "./d.ts"; await import("./e.ts");',
    },
    ...["in/b", "c", "d", "e"].map((name) => ({ path: `src/${name}.ts`, text: "" })),
  ];

  expect(importGraph(files).get("src/a.ts")).toEqual(
    new Set(["src/in/b.ts", "src/c.ts", "src/d.ts", "src/e.ts"]),
  );
});

test.each([
  { name: "a chain has no cycle", lines: ["a: b", "b: c", "c:"], found: [] },
  { name: "a diamond has no cycle", lines: ["a: b c", "b: d", "c: d", "d:"], found: [] },
  {
    name: "two nodes that depend on each other are a cycle",
    lines: ["b: a", "a: b"],
    found: [["a", "b"]],
  },
  {
    name: "two cycles with a bridge are two",
    lines: ["a: b", "b: a c", "c: d", "d: e", "e: c"],
    found: [
      ["c", "d", "e"],
      ["a", "b"],
    ],
  },
  {
    name: "two cycles that share a node are one",
    lines: ["a: b c", "b: a", "c: a"],
    found: [["a", "b", "c"]],
  },
])("$name", ({ lines, found }) => {
  expect<readonly (readonly string[])[]>(cycles(graph(...lines))).toEqual(found);
});

test.each([
  { lines: ["a: b c", "b:", "c: d", "d:"], chain: ["a", "c", "d"] },
  { lines: ["d:", "c: d", "a: b c", "b: c"], chain: ["a", "b", "c", "d"] },
  { lines: ["a: b", "b: c", "c: b d", "d:"], chain: ["a", "b + c", "d"] },
])("the longest chain of $lines is $chain", ({ lines, chain }) => {
  expect<readonly string[]>(longestChain(graph(...lines))).toEqual(chain);
});

test("a group has the edges of its nodes without edges to itself", () => {
  const groups = grouped(graph("a1: a2 b1", "a2: b2", "b1: b2", "b2:"), ([group = ""]) => group);

  expect(groups).toEqual(graph("a: b", "b:"));
});

test.each([
  { path: "src/main.ts", part: "src/main.ts" },
  { path: "src/application/loose.ts", part: "src/application/loose.ts" },
  { path: "src/application/ring/a.ts", part: "src/application/ring" },
  { path: "src/adapters/otlp/json/a.ts", part: "src/adapters/otlp/json" },
  { path: "src/domain/a.ts", part: "src/domain" },
])("$path belongs to $part", ({ path, part }) => {
  expect(partOf(path)).toBe(part);
});

test("the report of a small program contains every figure", () => {
  const files = [
    { path: "src/main.ts", text: 'import "./application/ring/a.ts";\n' },
    { path: "src/application/ring/a.ts", text: 'import "../b.ts";\n'.padEnd(60, "\n") },
    { path: "src/application/b.ts", text: 'import "./ring/a.ts";\n' },
  ];

  expect(structureReport(files).split("\n")).toEqual([
    "files                          3",
    "files of at most 30 lines      2",
    "lines of the longest file      43  src/application/ring/a.ts",
    "entries of application/        2",
    "loose files among them         1",
    "imports between files          3",
    "import cycles between files    1",
    "    src/application/b.ts <-> src/application/ring/a.ts",
    "parts                          3",
    "edges between parts            3",
    "import cycles between parts    1",
    "    src/application/b.ts <-> src/application/ring",
    "longest chain of parts         2",
    "    src/main.ts",
    "    src/application/b.ts + src/application/ring",
  ]);
});

test("the command prints the report of this checkout", async () => {
  const script = join(import.meta.dir, "../../scripts/structure.ts");

  const command = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "inherit" });

  expect(await command.stdout.text()).toContain("import cycles between files    0\n");
  expect(await command.exited).toBe(0);
});
