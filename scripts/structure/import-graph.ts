/**
 * The imports between files, as a graph of names, and the graph of folders derived from it. Type
 * imports count as well, because for a reader they connect two files, even if nothing remains of
 * them at run time.
 */
import { dirname, join } from "node:path/posix";
import { parseSync } from "oxc-parser";

export interface SourceFile {
  /** The path from the root of the repository, with `/` between folders. */
  readonly path: string;
  readonly text: string;
}

/** An `import`, `export ... from` or `import()`. */
export interface Dependency {
  /** The specifier as written: `./ring.ts`, `node:fs`, `pino`. */
  readonly specifier: string;
  /** Whether only types are imported, so that nothing remains of it at run time. */
  readonly isType: boolean;
}

/** All nodes, each with the nodes it depends on. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export function dependenciesOf({ path, text }: SourceFile): Dependency[] {
  const { staticImports, staticExports, dynamicImports } = parseSync(path, text).module;
  const imports = staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    isType: entries.length > 0 && entries.every((entry) => entry.isType),
  }));
  const exports = staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest === null ? [] : [{ specifier: moduleRequest.value, isType }],
    ),
  );
  const dynamic = dynamicImports.map(({ moduleRequest }) => ({
    specifier: text.slice(moduleRequest.start, moduleRequest.end).replaceAll(/^["'`]|["'`]$/g, ""),
    isType: false,
  }));
  return [...imports, ...exports, ...dynamic];
}

/** Returns the path from the root that a relative import refers to; undefined for a package. */
export function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(path), specifier) : undefined;
}

/** Returns the imports between the given files, without those of packages and other files. */
export function importGraph(files: readonly SourceFile[]): Graph {
  const known = new Set(files.map(({ path }) => path));
  const targets = (file: SourceFile): string[] =>
    dependenciesOf(file).flatMap(({ specifier }) => targetOf(file.path, specifier) ?? []);
  return new Map(
    files.map((file) => [file.path, new Set(targets(file).filter((to) => known.has(to)))]),
  );
}

/** Returns the graph with every node replaced by its group, without edges inside a group. */
export function grouped(graph: Graph, groupOf: (node: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [from, targets] of graph) {
    const group = groupOf(from);
    const edges = groups.get(group) ?? new Set();
    groups.set(group, edges);
    for (const to of targets) if (groupOf(to) !== group) edges.add(groupOf(to));
  }
  return groups;
}

/** Folders whose entries are the parts of the program; a file directly in one is a part. */
const HOLDERS = new Set(["src", "src/adapters", "src/application"]);

/** Returns the folder of a file, or the file itself if it is directly among the parts. */
export function partOf(path: string): string {
  return HOLDERS.has(dirname(path)) ? path : dirname(path);
}

/** Returns each set of nodes that form a cycle, sorted. */
export function cycles(graph: Graph): string[][] {
  return components(graph)
    .filter(({ length }) => length > 1)
    .map((nodes) => nodes.toSorted());
}

/** Returns the longest chain of dependencies. The nodes of a cycle count as one step. */
export function longestChain(graph: Graph): string[] {
  const chains = new Map<string, string[]>();
  // Components come after their dependencies, so the chains below are complete.
  for (const nodes of components(graph)) {
    const below = nodes
      .flatMap((node) => [...(graph.get(node) ?? [])])
      .filter((to) => !nodes.includes(to))
      .map((to) => chains.get(to) ?? []);
    const chain = [nodes.toSorted().join(" + "), ...longest(below)];
    for (const node of nodes) chains.set(node, chain);
  }
  return longest([...chains.values()]);
}

function longest(chains: readonly string[][]): string[] {
  return chains.reduce((best, chain) => (chain.length > best.length ? chain : best), []);
}

/** Returns the strongly connected components (Tarjan), each after its dependencies. */
function components(graph: Graph): string[][] {
  const found: string[][] = [];
  const stack: string[] = [];
  const order = new Map<string, number>();
  const visit = (node: string): number => {
    const own = order.size;
    order.set(node, own);
    stack.push(node);
    let low = own;
    for (const to of graph.get(node) ?? []) {
      if (!order.has(to)) low = Math.min(low, visit(to));
      else if (stack.includes(to)) low = Math.min(low, order.get(to) ?? own);
    }
    if (low === own) found.push(stack.splice(stack.indexOf(node)));
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}
